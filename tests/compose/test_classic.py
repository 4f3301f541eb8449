import numpy as np

from stages.compose import classic
from stages.extract.cutouts import SegmentedImage

SHAPE = (120, 200)


def scene():
    pixels = np.full((*SHAPE, 3), 40, np.uint8)
    masks = np.zeros((2, *SHAPE), bool)
    masks[0, 40:70, 60:90] = True
    masks[1, 2:20, 180:199] = True  # at the edge, so that it sometimes leaves
    pixels[masks.any(0)] = (230, 230, 230)
    return SegmentedImage("a.png", pixels, masks, [1, 2], ["mask", "mask"])


def test_masks_go_where_the_pixels_go_and_what_leaves_is_dropped():
    counts = set()
    for seed in range(40):
        pixels, objects = classic.change(scene(), seed)
        bright = pixels.mean(-1) > 130
        union = np.any([mask for _, mask in objects], axis=0)
        counts.add(len(objects))
        middle = next(mask for category, mask in objects if category == 1)
        assert bright[middle].mean() > 0.9
        assert union.sum() > 0.85 * (union | (bright & ~union)).sum() or len(objects) == 1
    assert counts == {1, 2}


def test_the_seed_decides():
    first, again, other = (classic.change(scene(), seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_an_image_without_objects_is_changed_too():
    bare = SegmentedImage("b.png", scene().pixels, np.zeros((0, *SHAPE), bool), [], [])
    assert classic.change(bare, 0)[1] == []

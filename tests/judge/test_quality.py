import numpy as np
import pytest

from stages.judge import background, planted, quality
from stages.judge.quality import Seen
from stages.judge.reference import Reference

SIZE = 64


def scene(boxes, seed=0, grey=90):
    """A grey bin with bright objects; boxes in pixels: x, y, width, height."""
    rng = np.random.default_rng(seed)
    pixels = (grey + rng.normal(0, 2, (SIZE, SIZE, 3))).round().astype(np.uint8)
    masks = np.zeros((len(boxes), SIZE, SIZE), bool)
    for mask, (x, y, w, h) in zip(masks, boxes, strict=True):
        mask[y : y + h, x : x + w] = True
        pixels[mask] = (230, 240, 235)
    return pixels, np.array(boxes, float).reshape(-1, 4) / SIZE, masks


def reference(*scenes):
    pixels, boxes, masks = zip(*scenes, strict=True)
    names = [f"{k}.png" for k in range(len(scenes))]
    classes = [np.ones(len(b), int) for b in boxes]
    return Reference(names, np.stack(pixels), list(boxes), classes, list(masks), (640, 360))


@pytest.fixture(scope="module")
def real():
    rng = np.random.default_rng(3)
    spots = [(6, 8), (38, 10), (8, 40), (40, 40), (24, 26)]
    return reference(*(
        scene([(*spots[k], 6, 16) for k in rng.permutation(5)[:2]], seed, 80 + 3 * seed) for seed in range(8)
    ))  # fmt: skip


def test_what_stands_free():
    boxes = np.array([(0.1, 0.1, 0.2, 0.2), (0.29, 0.1, 0.2, 0.2), (0.6, 0.6, 0.2, 0.2), (0.0, 0.6, 0.2, 0.2)])
    assert quality.standing_free(boxes).tolist() == [False, False, True, False]
    assert quality.standing_free(np.empty((0, 4))).tolist() == []


def test_a_diagonal_is_that_of_the_true_shape():
    """The same stick lying across and standing upright in a frame of 640×360, squashed to a square."""
    across, upright = (0, 0, 0.2, 20 / 360), (0, 0, 20 / 640, 128 / 360)
    assert quality.diagonals(np.array([across, upright]), (640, 360)) == pytest.approx(np.hypot(128, 20) / 640)


def test_half_an_object_is_partial_and_a_faint_one_faint(real):
    pixels, boxes, _ = scene([(10, 20, 6, 16), (40, 20, 6, 8), (24, 44, 6, 16)], 9)
    pixels[44:60, 24:30] = 120  # half transparent
    seen = Seen(boxes, np.ones(3, int), np.array([0.9, 0.8, 0.7]), 0.0)
    whole = quality.diagonals(boxes[:1], real.frame)[0] * 0.8
    found = quality.assess(seen, pixels, real, background.empty(real), {1: whole}, {1: 0.3})
    assert (found.objects, found.free, found.partial, found.faint) == (3, 3, 1, 1)
    assert found.least == 0.7  # the partial one is not asked
    unknown = quality.assess(seen, pixels, real, background.empty(real), {2: whole}, {2: 0.3})
    assert (unknown.partial, unknown.faint) == (0, 0)


def test_nothing_seen_is_no_error(real):
    seen = Seen(np.empty((0, 4)), np.empty(0, int), np.empty(0), 0.0)
    found = quality.assess(seen, scene([])[0], real, background.empty(real), {}, {})
    assert (found.objects, found.least, found.mean) == (0, None, None)


def test_the_empty_bin_shows_no_object(real):
    assert np.abs(background.empty(real) * 255 - 90).max() < 25


def test_something_beside_the_objects_is_a_ghost(real):
    clean, boxes, _ = scene([(10, 20, 6, 16)], 20)
    haunted = clean.copy()
    haunted[30:46, 44:50] = (130, 133, 131)
    quiet, loud = (background.ghost(pixels, boxes, real) for pixels in (clean, haunted))
    assert loud > 3 * quiet
    assert background.ghost(clean + np.uint8(25), boxes, real) < 1.5 * quiet  # another exposure is none


def test_planted_candidates_are_what_they_are_called(real):
    pixels, truth = planted.planted(real, real, 5, 0.125, 0)
    assert truth == ["green"] * 5 + ["yellow"] * 5 + ["white"] * 5 + ["red"] * 5
    again, _ = planted.planted(real, real, 5, 0.125, 0)
    assert np.array_equal(pixels, again)
    bright = (pixels.min(-1) > 200).sum((1, 2))  # pixels of whole objects
    faint = ((pixels.min(-1) > 112) & (pixels.min(-1) <= 200)).sum((1, 2))
    assert (bright[:5] >= 2 * 6 * 16 * 0.7).all()
    assert (faint[5:10] > faint[:5].max()).all()
    assert bright[10:15].max() < bright[:5].min()


def test_one_change_is_one_object_more_or_less(real):
    changed = planted.one_changed(real, 12, 0)
    assert len(changed) == 12
    for picture in changed:
        apart = [(np.abs(picture.astype(int) - one).max(-1) > 60).sum() for one in real.pixels]
        assert 40 < min(apart) < 200


def test_without_free_objects_only_copies_can_be_planted():
    crowded = reference(scene([(10, 10, 8, 16), (16, 12, 8, 16)]))
    assert set(planted.planted(crowded, crowded, 2, 0.125, 0)[1]) == {"red"}
    assert len(planted.one_changed(crowded, 3, 0)) <= 3


def test_a_haunted_image_says_where(real):
    free = planted.pieces(real)
    pixels, mask = planted.haunted(real.pixels[0], real.masks[0], free, np.random.default_rng(0))
    changed = np.abs(pixels.astype(int) - real.pixels[0]).max(-1) > 20
    assert mask is not None and not (mask & real.masks[0].any(0)).any()
    assert (changed & mask).sum() > 0.5 * mask.sum() and (changed & ~mask).sum() < 0.5 * mask.sum()
    full = np.ones((1, SIZE, SIZE), bool)
    assert planted.haunted(real.pixels[0], full, free, np.random.default_rng(0))[1] is None

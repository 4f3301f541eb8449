import numpy as np

from stages.compose import layout
from stages.compose.layout import Habits, Placed
from stages.extract.cutouts import SegmentedImage
from tests.helpers.cut_outs import SHAPE, unit


def habits(counts=(3,), touching=0.0):
    region = np.zeros(SHAPE, bool)
    region[10:-10, 20:-20] = True
    return Habits(counts, touching, region)


def at(left, top, w=20, h=10):
    return Placed(np.ones((h, w, 3), np.float32), np.ones((1, h, w), bool), left, top, (7,))


def test_habits_are_the_real_images_own():
    masks = np.zeros((2, *SHAPE), bool)
    masks[0, 20:30, 40:60] = True
    masks[1, 60:70, 100:120] = True
    found = layout.habits([SegmentedImage("a.png", np.zeros((*SHAPE, 3), np.uint8), masks, [1, 1], ["mask"] * 2)],
                          [unit(), unit(3)])  # fmt: skip
    assert found.counts == (2,)
    assert found.touching == 0.75
    assert found.region[masks.any(0)].all() and not found.region[:15].any()
    assert found.region[45, 80]  # between them


def test_as_many_objects_as_asked_apart_and_where_objects_lie():
    for seed in range(10):
        placed = layout.arrange([unit()], habits(), np.random.default_rng(seed))
        assert 2 <= len(placed) <= 3
        covered = np.zeros(SHAPE, int)
        for one in placed:
            covered[one.area] += one.masks.any(0)
        assert covered.max() == 1
        assert (covered > 0)[habits().region].sum() > 0.95 * (covered > 0).sum()


def test_touching_objects_touch():
    hidden = 0
    for seed in range(10):
        placed = layout.arrange([unit()], habits(touching=1.0), np.random.default_rng(seed))
        covered = np.zeros(SHAPE, int)
        for one in placed:
            covered[one.area] += one.masks.any(0)
        hidden += covered.max() > 1
    assert hidden == 10


def test_turning_keeps_the_object_whole():
    for seed in range(10):
        shown = layout.turned(unit(), np.random.default_rng(seed))
        assert 0.85 * 200 < shown.masks.sum() < 1.15 * 200
        border = np.concatenate([shown.masks[0, 0], shown.masks[0, -1], shown.masks[0, :, 0], shown.masks[0, :, -1]])
        assert not border.any()


def test_what_is_hidden_is_no_part_of_a_mask_and_too_little_is_no_object():
    seen = layout.visible([at(20, 20), at(30, 20)], SHAPE)
    assert [int(mask.sum()) for _, mask in seen] == [100, 200]
    assert [category for category, _ in seen] == [7, 7]
    assert len(layout.visible([at(20, 20), at(24, 20)], SHAPE)) == 1  # a fifth is left of the lower one


def test_more_than_fits_gives_what_fits():
    assert layout.arrange([unit(w=200)], habits(), np.random.default_rng(0)) == []
    assert len(layout.arrange([unit(4)], habits(counts=(3,)), np.random.default_rng(0))) == 0

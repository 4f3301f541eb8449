from dataclasses import replace

import cv2
import numpy as np
import pytest

from stages.compose import paste
from stages.compose.layout import Habits
from stages.extract.empty_bin import Backgrounds
from tests.helpers.cut_outs import SHAPE, unit


@pytest.fixture
def plain():
    """Dark empty bins and objects twice as bright as white, without shadows: what is bright is object."""
    dark = np.full((*SHAPE, 3), 20, np.uint8)
    bright = [replace(unit(k), pixels=np.full((10, 20, 3), 12.0, np.float32)) for k in (1, 2)]
    region = np.ones(SHAPE, bool)
    return paste.Stock(bright, Backgrounds([dark], [np.full(3, 20.0)], 0.0, None), Habits((4,), 0.4, region), 0.0)


def test_labels_are_exactly_what_was_drawn(plain):
    for seed in range(20):
        pixels, objects = paste.compose(plain, seed, "hard")
        union = np.any([mask for _, mask in objects], axis=0)
        drawn = pixels.min(-1) > 120
        hidden = drawn & ~union  # fragments of objects too hidden to be labelled
        assert not (union & ~drawn).any()
        assert hidden.sum() < 0.25 * 200 * 4
        assert np.sum([mask for _, mask in objects], axis=0).max() == 1


def test_one_layout_is_drawn_in_several_ways_that_differ_at_the_seams_alone(plain):
    (hard, objects), *others = (paste.compose(plain, 5, way) for way in paste.BLENDINGS)
    union = np.any([mask for _, mask in objects], axis=0).astype(np.uint8)
    seam = cv2.dilate(union, np.ones((9, 9))) - cv2.erode(union, np.ones((9, 9)))
    for pixels, same in others:
        assert all(np.array_equal(a[1], b[1]) for a, b in zip(objects, same, strict=True))
        changed = np.abs(pixels.astype(int) - hard).max(-1) > 2
        assert changed.any() and not (changed & (seam == 0)).any()


def test_the_seed_decides(plain):
    assert np.array_equal(paste.compose(plain, 3, "box")[0], paste.compose(plain, 3, "box")[0])
    assert not np.array_equal(paste.compose(plain, 3, "box")[0], paste.compose(plain, 4, "box")[0])


def test_a_shadow_darkens_beside_the_object_only(plain):
    lit, objects = paste.compose(plain, 1, "hard")
    dark, _ = paste.compose(replace(plain, shadow=0.6), 1, "hard")
    union = np.any([mask for _, mask in objects], axis=0)
    near = cv2.dilate(union.astype(np.uint8), np.ones((5, 5))).astype(bool) & ~(lit.min(-1) > 120)
    assert (dark[near] < lit[near]).mean() > 0.8
    assert np.array_equal(dark[union], lit[union])

from dataclasses import replace

import numpy as np
import pytest

from stages.extract import empty_bin
from stages.extract.cutouts import SegmentedImage
from stages.problem import Problem
from tests.helpers.lit_bins import BARE, SCENES, SHAPE, scene


def test_no_object_is_left_and_each_background_has_its_image_s_light():
    found = empty_bin.backgrounds(SCENES)
    assert len(found.pictures) == 6 and empty_bin.seen(SCENES).unseen == 0
    for picture, light in zip(found.pictures, found.light, strict=True):
        even = picture / light
        assert np.abs(even - BARE / np.median(BARE)).max() < 0.2
    assert found.light[5][0] > found.light[1][0]


def test_ghosts_are_measured():
    clean = empty_bin.ghost(empty_bin.seen(SCENES))
    half_marked = []
    for one in (scene((40, 20), k) if k % 2 else scene((10, 30), k) for k in range(5)):
        top = np.arange(SHAPE[0]) < one.masks[0].any(1).argmax() + 3
        half_marked.append(replace(one, masks=one.masks & top[:, None]))
    assert clean < 0.1
    assert empty_bin.ghost(empty_bin.seen(half_marked)) > clean + 0.1


def test_one_object_in_the_same_place_of_all_images_is_inpainted():
    scenes = [scene((40, 20), k) for k in range(4)]
    found = empty_bin.backgrounds(scenes)
    assert empty_bin.seen(scenes).unseen > 0.05
    assert found.pictures[0][20:34, 40:54].max() < 150


def test_a_dark_edge_beside_an_object_does_not_darken_its_place():
    edged = []
    for one in SCENES:
        pixels = one.pixels.copy()
        pixels[: one.masks[0].any(1).argmax() - 4] //= 4  # as a wall is, beside one image's object
        edged.append(replace(one, pixels=pixels))
    found = empty_bin.backgrounds([edged[2], *SCENES[:2], *SCENES[3:]])
    place = edged[2].masks[0]
    assert np.abs(found.pictures[1][place] / np.broadcast_to(BARE, (*SHAPE, 3))[place] - 1).mean() < 0.1


def test_a_single_image_is_enough():
    found = empty_bin.backgrounds(SCENES[:1])
    assert found.pictures[1].max() < 160


def test_no_background_anywhere_is_one_line():
    full = SegmentedImage("a.png", np.full((*SHAPE, 3), 200, np.uint8), np.ones((1, *SHAPE), bool), [1], ["mask"])
    with pytest.raises(Problem, match="background is visible almost nowhere"):
        empty_bin.backgrounds([full])

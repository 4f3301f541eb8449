from dataclasses import replace

import numpy as np
import pytest

from stages.compose import floors
from stages.extract import empty_bin
from stages.inpaint import classical
from tests.helpers.lit_bins import BARE, SCENES, SHAPE, scene


@pytest.mark.parametrize("fill", [floors.median(SCENES), classical.telea, classical.navier_stokes])
def test_a_filler_keeps_the_input_and_what_is_outside_the_hole(fill):
    one = SCENES[0]
    before, hole = one.pixels.copy(), np.zeros(SHAPE, bool)
    hole[5:30, 5:40] = True
    made = fill(one.pixels, hole)
    assert made.dtype == np.uint8 and made.shape == one.pixels.shape
    assert np.array_equal(one.pixels, before)
    assert np.array_equal(made[~hole], before[~hole])
    assert not np.array_equal(made[hole], before[hole])


def test_a_painted_floor_lies_where_objects_do_in_the_light_that_was_there():
    empty = empty_bin.backgrounds(SCENES)
    region = np.zeros(SHAPE, bool)
    region[10:50, 20:80] = True

    def stripes(height, width, seed):
        columns = (np.arange(width) + seed) % 4 < 2
        return np.broadcast_to(np.where(columns, 150, 50)[None, :, None], (height, width, 3)).astype(np.uint8)

    made = floors.textured(empty, region, stripes)
    for before, after in zip(empty.pictures, made.pictures, strict=True):
        assert np.array_equal(before[~region], after[~region])
        inside = after[25:35, 40:60].astype(float)
        assert abs(inside.mean() - before[25:35, 40:60].mean()) < 8  # a slope of light, and no other
        assert np.ptp(inside.mean((0, 2))) > 0.5 * inside.mean()  # but stripes
    assert not np.array_equal(made.pictures[1], made.pictures[2])


def test_an_emptied_bin_is_the_photograph_but_for_its_objects():
    empty = empty_bin.backgrounds(SCENES)
    made = floors.emptied(empty, SCENES, floors.median(SCENES))
    assert len(made.pictures) == len(made.light) == 6
    for one, picture in zip(SCENES, made.pictures[1:], strict=True):
        hole = empty_bin.around(one)
        assert np.array_equal(picture[~hole], one.pixels[~hole])
        assert picture[one.covered].max() < 200 < one.pixels[one.covered].mean()


@pytest.mark.parametrize("light", [0.7, 1.0, 1.2])
def test_the_median_is_in_the_light_around_the_hole(light):
    """Also of an image that is darker or lighter than all that the bin is known from."""
    other = scene((40, 20), 9, light)
    hole = np.zeros(SHAPE, bool)
    hole[15:40, 35:60] = True
    made = floors.median(SCENES)(other.pixels, hole)
    assert np.abs(made[hole] - np.broadcast_to(BARE * light, made.shape)[hole]).mean() < 4


def test_neighbours_around_the_hole_are_not_taken_for_light():
    one = scene((40, 20), 9)
    crowded = replace(one, pixels=one.pixels.copy())
    crowded.pixels[10:45, 62:75] = 240
    hole = np.zeros(SHAPE, bool)
    hole[15:40, 35:60] = True
    made = floors.median(SCENES)(crowded.pixels, hole)
    assert np.abs(made[hole] - np.broadcast_to(BARE, made.shape)[hole]).mean() < 4


def test_images_of_several_sizes_have_a_bin_each():
    small = replace(SCENES[0], pixels=SCENES[0].pixels[:40, :60], masks=SCENES[0].masks[:, :40, :60])
    hole = np.zeros((40, 60), bool)
    hole[5:30, 5:30] = True
    assert floors.median([*SCENES, small])(small.pixels, hole).shape == (40, 60, 3)

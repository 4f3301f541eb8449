from dataclasses import replace

import numpy as np
import pytest

from stages import settings
from stages.compose import fillers
from tests.dataset.test_background import BARE, SCENES, SHAPE, scene


@pytest.mark.parametrize("name", settings.FILLERS)
def test_a_filler_keeps_the_input_and_what_is_outside_the_hole(name):
    fill, one = fillers.filler(name, SCENES), SCENES[0]
    before, hole = one.pixels.copy(), np.zeros(SHAPE, bool)
    hole[5:30, 5:40] = True
    made = fill(one.pixels, hole)
    assert made.dtype == np.uint8 and made.shape == one.pixels.shape
    assert np.array_equal(one.pixels, before)
    assert np.array_equal(made[~hole], before[~hole])
    assert not np.array_equal(made[hole], before[hole])


@pytest.mark.parametrize("light", [0.7, 1.0, 1.2])
def test_the_median_is_in_the_light_around_the_hole(light):
    """Also of an image that is darker or lighter than all that the bin is known from."""
    other = scene((40, 20), 9, light)
    hole = np.zeros(SHAPE, bool)
    hole[15:40, 35:60] = True
    made = fillers.median(SCENES)(other.pixels, hole)
    assert np.abs(made[hole] - np.broadcast_to(BARE * light, made.shape)[hole]).mean() < 4


def test_neighbours_around_the_hole_are_not_taken_for_light():
    one = scene((40, 20), 9)
    crowded = replace(one, pixels=one.pixels.copy())
    crowded.pixels[10:45, 62:75] = 240
    hole = np.zeros(SHAPE, bool)
    hole[15:40, 35:60] = True
    made = fillers.median(SCENES)(crowded.pixels, hole)
    assert np.abs(made[hole] - np.broadcast_to(BARE, made.shape)[hole]).mean() < 4


def test_images_of_several_sizes_have_a_bin_each():
    small = replace(SCENES[0], pixels=SCENES[0].pixels[:40, :60], masks=SCENES[0].masks[:, :40, :60])
    hole = np.zeros((40, 60), bool)
    hole[5:30, 5:30] = True
    assert fillers.median([*SCENES, small])(small.pixels, hole).shape == (40, 60, 3)

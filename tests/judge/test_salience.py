import numpy as np
import pytest

from stages.judge import salience
from tests.helpers.judged_scenes import scene, several


@pytest.fixture(scope="module")
def empty():
    return salience.empty(several())


def test_the_empty_bin_shows_no_object(empty):
    assert np.abs(empty * 255 - 90).max() < 25


def test_what_is_half_transparent_stands_out_by_half_whatever_the_exposure(empty):
    pixels, boxes, _ = scene([(10, 20, 6, 16), (24, 44, 6, 16)], 9)
    pixels[44:60, 24:30] = (90 + pixels[44:60, 24:30].astype(int)) // 2
    whole, half = salience.strengths(pixels, boxes, empty)
    assert half / whole == pytest.approx(0.5, abs=0.05)
    assert salience.strengths(pixels - np.uint8(20), boxes, empty) == pytest.approx([whole, half], abs=0.02)
    assert len(salience.strengths(pixels, np.empty((0, 4)), empty)) == 0

import numpy as np
import pytest

from stages.inpaint import classical


@pytest.mark.parametrize("fill", [classical.telea, classical.navier_stokes])
def test_a_slope_of_grey_goes_on_through_the_hole(fill):
    picture = np.repeat(np.linspace(40, 200, 60).astype(np.uint8)[None, :, None], 40, 0).repeat(3, 2)
    hole = np.zeros((40, 60), bool)
    hole[12:28, 20:40] = True
    torn = picture.copy()
    torn[hole] = 255
    made = fill(torn, hole)
    assert np.array_equal(made[~hole], picture[~hole])
    assert np.abs(made[hole].astype(int) - picture[hole]).mean() < 12

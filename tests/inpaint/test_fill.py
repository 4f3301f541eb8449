import numpy as np
import pytest

from stages import paths
from stages.inpaint import fill


@pytest.fixture
def filler(project):
    return fill.filler(paths.INPAINTS / "inpaint_ae_skip")


@pytest.mark.parametrize("shape", [(180, 320), (360, 640), (77, 51)])
def test_only_the_hole_changes_whatever_the_size(filler, shape):
    rng = np.random.default_rng(0)
    photograph = rng.integers(0, 256, (*shape, 3), np.uint8)
    hole = np.zeros(shape, bool)
    hole[5:30, 10:25] = hole[40:50, :8] = hole[-3:, -3:] = True
    before = photograph.copy()
    made = filler(photograph, hole)
    assert made.shape == photograph.shape and made.dtype == np.uint8
    assert np.array_equal(made[~hole], photograph[~hole])
    assert not np.array_equal(made[hole], photograph[hole])
    assert np.array_equal(photograph, before)
    photograph[hole] = 0  # what is hidden has no part in it
    assert np.array_equal(filler(photograph, hole), made)


def test_no_hole_nothing_to_do_and_all_hole_is_filled_too(filler):
    photograph = np.full((90, 120, 3), 120, np.uint8)
    assert np.array_equal(filler(photograph, np.zeros((90, 120), bool)), photograph)
    assert filler(photograph, np.ones((90, 120), bool)).shape == photograph.shape


def test_it_fills_on_the_device_that_there_is(project, on_meta):
    fill_one = fill.filler(paths.INPAINTS / "inpaint_ae_skip")
    with on_meta:
        fill_one(np.zeros((90, 120, 3), np.uint8), np.ones((90, 120), bool))


def test_a_filling_takes_the_light_of_its_surroundings():
    """A network that draws all too bright leaves no seam, and what it drew inside stays."""
    rows = np.arange(96)
    photograph = np.repeat((80 + rows)[:, None, None], 96, 1).repeat(3, 2).astype(np.uint8)
    known = np.ones((96, 96), bool)
    known[30:60, 30:60] = False
    drawn = photograph[::2, ::2] + np.uint8(30)
    made = fill._fitted(drawn, photograph, known).astype(int)
    border = np.abs(made - photograph)[30:60, [30, 59]]
    assert border.max() <= 8
    assert np.abs(np.diff(made[:, 45, 0])).max() <= 8

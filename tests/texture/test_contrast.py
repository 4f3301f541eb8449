import numpy as np

from stages.texture.contrast import Contrast


def test_what_is_nearly_grey_fills_the_range_and_comes_back():
    squares = np.random.default_rng(0).normal((90, 100, 140), (2, 4, 9), (5, 32, 32, 3)).round().astype(np.uint8)
    contrast = Contrast.of(squares)
    stretched = contrast.stretched(squares)
    assert np.allclose(stretched.mean((0, 1, 2)), 127.5, atol=1) and np.allclose(stretched.std((0, 1, 2)), 42.5, atol=1)
    back = contrast.natural(stretched.copy())
    inside = np.abs(squares - np.array(contrast.middle)) < contrast.reach
    assert (back == squares)[inside].all() and inside.mean() > 0.99


def test_one_flat_colour_is_itself():
    flat = np.full((2, 8, 8, 3), 77, np.uint8)
    contrast = Contrast.of(flat)
    assert (contrast.natural(contrast.stretched(flat)) == 77).all()

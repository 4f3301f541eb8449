import cv2
import numpy as np
import pytest

from stages.extract import looks
from stages.extract.cutouts import SegmentedImage

rng = np.random.default_rng(0)
SHARP = np.kron(rng.integers(60, 160, (12, 16)), np.ones((10, 10))).astype(np.float32)


def scene(picture):
    pixels = np.repeat(picture.clip(0, 255).round().astype(np.uint8)[..., None], 3, -1)
    return SegmentedImage("a", pixels, np.zeros((0, *picture.shape), bool), [], [])


@pytest.mark.parametrize("noise", [2.0, 5.0])
def test_noise_is_told_from_edges(noise):
    grainy = SHARP + rng.normal(0, noise, SHARP.shape).astype(np.float32)
    assert looks.noise(grainy) == pytest.approx(noise, rel=0.25)
    assert looks.noise(SHARP) < 0.5


def test_light_and_blur_beside_the_other_photographs():
    sharp, dim, soft = looks.of([scene(SHARP), scene(SHARP * 0.8), scene(cv2.GaussianBlur(SHARP, (0, 0), 1.2))])
    assert sharp.blur == 0.0 and dim.blur < 0.3
    assert soft.blur == pytest.approx(1.2, abs=0.25)
    assert dim.light == pytest.approx(0.8 * sharp.light, rel=0.03)


def test_what_a_photograph_shows_does_not_make_it_soft():
    pale = 110 + 0.4 * (SHARP - 110)
    assert max(look.blur for look in looks.of([scene(SHARP), scene(pale), scene(SHARP[:, ::-1])])) < 0.3

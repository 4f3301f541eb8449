import cv2
import numpy as np
import pytest

from stages.extract import shadow
from stages.extract.cutouts import SegmentedImage

HEIGHT, WIDTH = 180, 320


def shaded(dark, across, down):
    """A grey bin with two bright objects, and their shadow."""
    mask = np.zeros((2, HEIGHT, WIDTH), bool)
    mask[0, 40:80, 60:120] = mask[1, 100:140, 180:240] = True
    soft = cv2.GaussianBlur(mask.any(0).astype(np.float32), (0, 0), shadow.SOFT * WIDTH)
    picture = 100 * (1 - dark * shadow.moved(soft, across * WIDTH, down * WIDTH))
    picture[mask.any(0)] = 200
    return SegmentedImage("a", np.repeat(picture[..., None], 3, -1).astype(np.uint8), mask, [1, 1], ["mask"] * 2)


@pytest.mark.parametrize(("across", "down"), [(0.024, 0.0), (-0.012, 0.018), (0.0, -0.03)])
def test_it_falls_the_way_it_falls(across, down):
    found = shadow.of(shaded(0.4, across, down), np.ones((HEIGHT, WIDTH, 3)))
    assert found.across == pytest.approx(across, abs=shadow.STEP) and found.down == pytest.approx(down, abs=shadow.STEP)
    assert found.dark == pytest.approx(0.4, abs=0.1)


def test_without_objects_there_is_none():
    bare = shaded(0.0, 0.0, 0.0)
    none = SegmentedImage("b", bare.pixels, bare.masks[:0], [], [])
    assert shadow.of(none, np.ones((HEIGHT, WIDTH, 3))).dark == 0

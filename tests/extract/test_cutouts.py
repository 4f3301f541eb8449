import numpy as np

from stages.extract import cutouts
from tests.helpers.squares import square


def test_without_a_mask_grabcut_finds_the_outline_in_the_box(bright_squares):
    folder = bright_squares(square(30, 20), {"bbox": [55, 20, 14, 14]})
    (scene,), _ = cutouts.scenes(folder)
    assert scene.cut == ["mask", "grabcut"]
    assert 0.6 * 14 * 14 < scene.masks[1].sum() <= 14 * 14
    assert np.array_equal(scene.masks, cutouts.scenes(folder)[0][0].masks)
    assert scene.hidden[20:34, 55:69].all()  # what GrabCut missed of it is no background

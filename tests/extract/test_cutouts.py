import numpy as np
import pytest

from stages.dataset import coco
from stages.extract import cutouts
from tests.helpers.squares import square


def test_without_a_mask_grabcut_finds_the_outline_in_the_box(bright_squares):
    folder = bright_squares(square(30, 20), {"bbox": [55, 20, 14, 14]})
    (scene,), _ = cutouts.scenes(folder)
    assert scene.cut == ["mask", "grabcut"]
    assert 0.6 * 14 * 14 < scene.masks[1].sum() <= 14 * 14
    assert np.array_equal(scene.masks, cutouts.scenes(folder)[0][0].masks)
    assert scene.hidden[20:34, 55:69].all()  # what GrabCut missed of it is no background


@pytest.mark.parametrize("box", [[-30, 20, 10, 10], [20, -30, 10, 10], [-30, -30, 10, 10], [200, 20, 10, 10]])
def test_a_box_without_a_mask_beside_the_frame_is_no_object(bright_squares, box):
    folder = bright_squares(square(30, 20))
    dataset = coco.read(folder / "annotations.json")
    dataset.annotations.append(coco.Annotation(2, 1, 1, tuple(map(float, box))))
    coco.write(folder / "annotations.json", dataset)
    (scene,), left_out = cutouts.scenes(folder)
    assert len(scene.masks) == 1 and left_out == {"empty mask": 1}


def test_where_a_crowd_is_nobody_knows_the_bin(bright_squares):
    (scene,), left_out = cutouts.scenes(bright_squares(square(30, 20), {"bbox": [50, 20, 14, 14], "iscrowd": 1}))
    assert len(scene.masks) == 1 and left_out == {"crowd": 1}
    assert scene.hidden[20:34, 50:64].all() and not scene.covered[20:34, 50:64].any()


def test_a_box_without_a_mask_as_large_as_the_frame_is_taken_whole(bright_squares):
    (scene,), _ = cutouts.scenes(bright_squares({"bbox": [0, 0, 80, 60]}))
    assert scene.masks.all() and scene.cut == ["grabcut"]

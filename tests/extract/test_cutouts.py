import numpy as np
import pytest

from stages.dataset import coco
from stages.extract import cutouts
from stages.problem import Problem
from tests.helpers.squares import square


def test_objects_that_touch_stay_together(bright_squares):
    _, units, left_out = cutouts.usable(bright_squares(square(10, 10), square(20, 18), square(50, 30)))
    assert sorted(len(unit.masks) for unit in units) == [1, 2]
    assert not left_out
    pair = next(unit for unit in units if len(unit.masks) == 2)
    assert not (pair.masks[0] & pair.masks[1]).any()  # one pixel belongs to one object


def test_what_goes_on_outside_the_frame_and_fragments_are_left_out(bright_squares):
    _, units, left_out = cutouts.usable(
        bright_squares(square(0, 10), square(30, 10), square(50, 30), square(30, 40, 5))
    )
    assert len(units) == 2
    assert left_out == {"touches the border": 1, "fragment": 1}


def test_an_empty_mask_and_a_crowd_are_counted(bright_squares):
    nothing = {"bbox": [60, 10, 8, 8], "segmentation": {"size": [60, 80], "counts": [60 * 80]}}
    _, units, left_out = cutouts.usable(bright_squares(square(10, 10), nothing, square(40, 40) | {"iscrowd": 1}))
    assert len(units) == 1
    assert left_out == {"empty mask": 1, "crowd": 1}


def test_without_a_mask_grabcut_finds_the_outline_in_the_box(bright_squares):
    folder = bright_squares(square(30, 20), {"bbox": [55, 20, 14, 14]})
    _, units, _ = cutouts.usable(folder)
    found = next(unit for unit in units if unit.cut == ("grabcut",))
    again = next(unit for unit in cutouts.usable(folder)[1] if unit.cut == ("grabcut",))
    assert 0.6 * 14 * 14 < found.masks.sum() <= 14 * 14
    assert np.array_equal(found.masks, again.masks)
    scene = cutouts.usable(folder)[0][0]
    assert scene.hidden[20:34, 55:69].all()  # what GrabCut missed of it is no background


@pytest.mark.parametrize("box", [[-30, 20, 10, 10], [20, -30, 10, 10], [-30, -30, 10, 10], [200, 20, 10, 10]])
def test_a_box_without_a_mask_beside_the_frame_is_no_object(bright_squares, box):
    folder = bright_squares(square(30, 20))
    dataset = coco.read(folder / "annotations.json")
    dataset.annotations.append(coco.Annotation(2, 1, 1, tuple(map(float, box))))
    coco.write(folder / "annotations.json", dataset)
    (scene,), left_out = cutouts.scenes(folder)
    assert len(scene.masks) == 1 and left_out == {"empty mask": 1}


def test_a_box_without_a_mask_as_large_as_the_frame_is_taken_whole(bright_squares):
    (scene,), _ = cutouts.scenes(bright_squares({"bbox": [0, 0, 80, 60]}))
    assert scene.masks.all() and scene.cut == ["grabcut"]


def test_nothing_to_cut_out_is_one_line_with_the_reasons(bright_squares):
    with pytest.raises(Problem, match=r"none of its objects can be cut out whole \(2 × touches the border\)"):
        cutouts.usable(bright_squares(square(0, 10), square(30, 48)))
    with pytest.raises(Problem, match="it has none"):
        cutouts.usable(bright_squares())


def test_a_class_that_only_appears_hidden_is_used_as_it_is_hidden(bright_squares):
    _, units, _ = cutouts.usable(bright_squares(square(10, 10), square(14, 18) | {"category_id": 1}))
    assert [len(unit.masks) for unit in units] == [2]

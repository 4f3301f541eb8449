import numpy as np
import pytest
from PIL import Image

from stages.extract import cutouts
from stages.problem import Problem

WIDTH, HEIGHT = 80, 60


def square(x, y, side=12):
    return {"bbox": [x, y, side, side], "segmentation": [[x, y, x + side, y, x + side, y + side, x, y + side]]}


@pytest.fixture
def subset(hand, tmp_path):
    """A maker of one-image subsets: bright squares on a dark bin where the annotations are."""

    def make(*annotations):
        hand([("a.png", WIDTH, HEIGHT)], list(annotations))
        pixels = np.random.default_rng(0).integers(60, 70, (HEIGHT, WIDTH, 3), np.uint8)
        for annotation in annotations:
            x, y, w, h = (int(v) for v in annotation["bbox"])
            pixels[y : y + h, x : x + w] = (220, 200, 60)
        Image.fromarray(pixels).save(tmp_path / "images" / "a.png")
        return tmp_path

    return make


def test_objects_that_touch_stay_together(subset):
    _, units, left_out = cutouts.usable(subset(square(10, 10), square(20, 18), square(50, 30)))
    assert sorted(len(unit.masks) for unit in units) == [1, 2]
    assert not left_out
    pair = next(unit for unit in units if len(unit.masks) == 2)
    assert not (pair.masks[0] & pair.masks[1]).any()  # one pixel belongs to one object


def test_what_goes_on_outside_the_frame_and_fragments_are_left_out(subset):
    _, units, left_out = cutouts.usable(subset(square(0, 10), square(30, 10), square(50, 30), square(30, 40, 5)))
    assert len(units) == 2
    assert left_out == {"touches the border": 1, "fragment": 1}


def test_an_empty_mask_and_a_crowd_are_counted(subset):
    nothing = {"bbox": [60, 10, 8, 8], "segmentation": {"size": [HEIGHT, WIDTH], "counts": [HEIGHT * WIDTH]}}
    _, units, left_out = cutouts.usable(subset(square(10, 10), nothing, square(40, 40) | {"iscrowd": 1}))
    assert len(units) == 1
    assert left_out == {"empty mask": 1, "crowd": 1}


def test_without_a_mask_grabcut_finds_the_outline_in_the_box(subset):
    folder = subset(square(30, 20), {"bbox": [55, 20, 14, 14]})
    _, units, _ = cutouts.usable(folder)
    found = next(unit for unit in units if unit.cut == ("grabcut",))
    again = next(unit for unit in cutouts.usable(folder)[1] if unit.cut == ("grabcut",))
    assert 0.6 * 14 * 14 < found.masks.sum() <= 14 * 14
    assert np.array_equal(found.masks, again.masks)
    scene = cutouts.usable(folder)[0][0]
    assert scene.hidden[20:34, 55:69].all()  # what GrabCut missed of it is no background


def test_nothing_to_cut_out_is_one_line_with_the_reasons(subset):
    with pytest.raises(Problem, match=r"none of its objects can be cut out whole \(2 × touches the border\)"):
        cutouts.usable(subset(square(0, 10), square(30, 48)))
    with pytest.raises(Problem, match="it has none"):
        cutouts.usable(subset())


def test_a_class_that_only_appears_hidden_is_used_as_it_is_hidden(subset):
    _, units, _ = cutouts.usable(subset(square(10, 10), square(14, 18) | {"category_id": 1}))
    assert [len(unit.masks) for unit in units] == [2]

import cv2
import numpy as np
import pytest

from stages.extract import placeable
from stages.problem import Problem
from tests.helpers.squares import square


def test_objects_that_touch_are_placed_as_they_lie_and_what_lies_on_top_by_itself_too(bright_squares):
    _, units, left_out = placeable.usable(
        bright_squares(
            square(10, 10), square(20, 18) | {"segmentation": [[20, 18, 30, 18, 30, 28, 20, 28]]}, square(50, 30)
        )
    )
    assert sorted(len(unit.masks) for unit in units) == [1, 1, 2]
    assert not left_out
    pair = next(unit for unit in units if len(unit.masks) == 2)
    assert not (pair.masks[0] & pair.masks[1]).any()  # one pixel belongs to one object


def test_what_the_frame_cuts_off_keeps_its_side_and_fragments_are_left_out(bright_squares):
    _, units, left_out = placeable.usable(
        bright_squares(square(0, 10), square(30, 10), square(50, 30), square(30, 40, 5), square(70, 56, 4))
    )
    assert [unit.sides for unit in units] == [("left",), (), ()]
    assert len(placeable.whole(units)) == 2
    assert left_out == {"cut off by the frame": 1, "fragment": 1}


def test_what_stands_apart_is_used_though_it_shows_little_of_itself(bright_squares):
    _, units, left_out = placeable.usable(bright_squares(square(10, 10), square(50, 30), square(30, 40, 7)))
    assert len(units) == 3 and not left_out


@pytest.mark.parametrize(("middle", "axes", "angle", "stands"), [
    ((20, 30), (12, 5), 0, True),  # to the left of the middle, leaning left
    ((40, 12), (12, 5), 90, True),
    ((65, 50), (12, 5), 40, True),
    ((20, 30), (12, 5), 90, False),
    ((40, 12), (12, 5), 0, False),
    ((20, 12), (7, 7), 0, True),  # seen from straight above
])  # fmt: skip
def test_what_leans_away_from_the_middle_or_is_round_may_stand(middle, axes, angle, stands):
    mask = cv2.ellipse(np.zeros((60, 80), np.uint8), middle, axes, angle, 0, 360, 1, -1)
    assert placeable.may_stand(mask.astype(bool)) == stands


def test_a_unit_knows_where_it_was_from_the_middle(bright_squares):
    _, (one,), _ = placeable.usable(bright_squares(square(10, 10)))
    assert one.away == pytest.approx((16.5 - 40, 16.5 - 30), abs=1)


def test_an_empty_mask_and_a_crowd_are_counted(bright_squares):
    nothing = {"bbox": [60, 10, 8, 8], "segmentation": {"size": [60, 80], "counts": [60 * 80]}}
    _, units, left_out = placeable.usable(bright_squares(square(10, 10), nothing, square(40, 40) | {"iscrowd": 1}))
    assert len(units) == 1
    assert left_out == {"empty mask": 1, "crowd": 1}


def test_nothing_to_cut_out_is_one_line_with_the_reasons(bright_squares):
    with pytest.raises(Problem, match=r"none of its objects can be cut out whole \(1 × crowd\)"):
        placeable.usable(bright_squares(square(40, 40) | {"iscrowd": 1}))
    with pytest.raises(Problem, match="it has none"):
        placeable.usable(bright_squares())

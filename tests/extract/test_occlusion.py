import numpy as np
import pytest

from stages.extract import occlusion
from tests.helpers.piles import LYING, UPRIGHT, USUAL, bar, scene


@pytest.mark.parametrize("first", ["upper", "lower"])
def test_a_crossed_object_lies_below(first):
    """Both pieces of what is hidden are one object, whose hull reaches into what hides it."""
    found = occlusion.over(
        scene(LYING, UPRIGHT & ~LYING) if first == "upper" else scene(LYING & ~UPRIGHT, UPRIGHT), USUAL
    )
    assert found.tolist() == ([[False, True], [False, False]] if first == "upper" else [[False, False], [True, False]])


def test_a_straight_cut_is_told_by_what_is_missing():
    whole, end = bar(20, 40, 80, 16), bar(40, 56, 16, 50)  # the end of an upright one that goes on under it
    assert occlusion.over(scene(end, whole), USUAL).tolist() == [[False, False], [True, False]]


def test_what_the_frame_cuts_off_is_not_hidden():
    assert occlusion.lacks(scene(bar(0, 40, 40, 16), bar(60, 40, 40, 16)), USUAL).tolist() == [0.0, 0.5]


def test_objects_apart_lie_on_nothing():
    assert not occlusion.over(scene(bar(10, 10, 60, 16), bar(10, 40, 30, 16)), USUAL).any()


def test_free_are_those_under_nothing_that_is_left_and_all_in_a_knot():
    on = np.zeros((3, 3), bool)
    on[0, 1] = on[1, 2] = True
    assert occlusion.free(on, [0, 1, 2]) == [0]
    assert occlusion.free(on, [1, 2]) == [1]
    on[2, 0] = True
    assert occlusion.free(on, [0, 1, 2]) == [0, 1, 2]


def test_a_whole_object_s_area_is_not_pulled_down_by_hidden_ones():
    found = [scene(bar(10, 10, 80, 16), bar(10, 40, 80, 16), bar(10, 80, 20, 16))]
    assert occlusion.usual_areas(found) == {1: 80 * 16}

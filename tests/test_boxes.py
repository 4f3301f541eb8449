import numpy as np
import pytest

from stages.boxes import mirrored, overlaps, pixels


def test_overlap_is_intersection_over_union_and_over_the_own_area_alone_in_a_crowd():
    a, b = np.array([(0, 0, 10, 10), (5, 5, 10, 10)]), np.array([(0, 0, 10, 10), (0, 0, 20, 20)])
    assert overlaps(a, b).round(4).tolist() == [[1, 0.25], [round(25 / 175, 4), 0.25]]
    assert overlaps(a, b, np.array([False, True]))[:, 1].tolist() == [1, 1]


def test_nothing_overlaps_nothing():
    assert overlaps(np.zeros((0, 4)), np.ones((2, 4))).shape == (0, 2)


def test_boxes_of_a_mirrored_picture():
    box = np.array([(0.1, 0.2, 0.3, 0.4)])
    assert np.allclose(mirrored(box, True, False), [(0.6, 0.2, 0.3, 0.4)])
    assert np.allclose(mirrored(box, False, True), [(0.1, 0.4, 0.3, 0.4)])
    assert np.allclose(mirrored(mirrored(box, True, True), True, True), box)


@pytest.mark.parametrize(
    ("box", "area"),
    [
        ((1, 2, 3, 4), 12), ((-2, -2, 5, 5), 9), ((8, 4, 9, 9), 2 * 2), ((0, 0, 1e300, 1e300), 60),
        ((-9, 2, 5, 2), 0), ((2, -9, 2, 5), 0), ((40, 2, 5, 2), 0), ((5, 2, -3, 2), 0), ((-1e300, 0, 1, 1), 0),
    ],
)  # fmt: skip
def test_the_pixels_of_a_box_are_those_in_the_picture(box, area):
    picture = np.zeros((6, 10), bool)
    picture[pixels(box, 10, 6)] = True
    assert picture.sum() == area

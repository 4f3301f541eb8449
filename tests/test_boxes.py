import numpy as np

from stages.boxes import overlaps


def test_overlap_is_intersection_over_union_and_over_the_own_area_alone_in_a_crowd():
    a, b = np.array([(0, 0, 10, 10), (5, 5, 10, 10)]), np.array([(0, 0, 10, 10), (0, 0, 20, 20)])
    assert overlaps(a, b).round(4).tolist() == [[1, 0.25], [round(25 / 175, 4), 0.25]]
    assert overlaps(a, b, np.array([False, True]))[:, 1].tolist() == [1, 1]


def test_nothing_overlaps_nothing():
    assert overlaps(np.zeros((0, 4)), np.ones((2, 4))).shape == (0, 2)

import numpy as np
import pytest

from stages.detector.scenes import DetectedScene
from stages.evidence import errors

THERE = np.array([(10, 10, 20, 20), (60, 10, 20, 20)], float)


def scene(*detections, crowd=(False, False)):
    return DetectedScene(
        1, 100, 50, THERE, np.array([0, 1]), np.array(crowd), np.array(detections, float).reshape(-1, 6)
    )


RIGHT = [(10, 10, 20, 20, 0.9, 0), (60, 10, 20, 20, 0.9, 1)]


@pytest.mark.parametrize(
    ("detections", "found"),
    [
        (RIGHT, {}),
        (RIGHT[:1], {"missed": 1}),
        ([*RIGHT, (11, 10, 20, 20, 0.5, 0)], {"double": 1}),
        ([RIGHT[0], (60, 10, 20, 20, 0.9, 0)], {"class": 1}),
        ([RIGHT[0], (68, 18, 20, 20, 0.9, 1)], {"place": 1}),
        ([RIGHT[0], (68, 18, 20, 20, 0.9, 0)], {"both": 1}),
        ([*RIGHT, (35, 30, 10, 10, 0.9, 1)], {"background": 1}),
        ([*RIGHT, (35, 30, 10, 10, 0.2, 1)], {}),  # not confident enough
        ([], {"missed": 2}),
    ],
)
def test_each_kind(detections, found):
    assert errors.kinds([scene(*detections)], 0.25, 0.5) == {kind: found.get(kind, 0) for kind in errors.KINDS}


def test_a_crowd_is_neither_missed_nor_wrong():
    said = errors.kinds([scene(RIGHT[0], (62, 12, 10, 10, 0.9, 1), crowd=(False, True))], 0.25, 0.5)
    assert not any(said.values())


def test_an_object_inside_a_crowd_is_found_all_the_same():
    there = np.array([(10, 10, 20, 20), (0, 0, 60, 50)], float)
    of = DetectedScene(1, 100, 50, there, np.array([0, 0]), np.array([False, True]),
                       np.array([(10, 10, 20, 19, 0.9, 0), (40, 5, 8, 8, 0.9, 0)], float))  # fmt: skip
    assert not any(errors.kinds([of], 0.25, 0.5).values())  # the second is the crowd's

import numpy as np
import pytest

from stages.judge import quality, salience
from stages.judge.object_faults import FAULTS
from stages.judge.quality import Seen
from tests.helpers.judged_scenes import scene, several

GHOST, PART = range(len(FAULTS))


@pytest.fixture(scope="module")
def real():
    return several()


def seen(boxes, confidence, faults=()):
    rows = [(*boxes[k], sure, kind) for k, sure, kind in faults]
    return Seen(boxes, np.ones(len(boxes), int), np.array(confidence), np.array(rows, float).reshape(-1, 6))


def test_what_is_taken_for_a_fault_is_no_whole_object(real):
    pixels, boxes, _ = scene([(10, 20, 6, 16), (40, 20, 6, 8), (24, 44, 6, 16)], 9)
    found = seen(boxes, (0.9, 0.8, 0.7), [(1, 0.6, PART)])
    good = quality.assess(found, pixels, salience.empty(real), {})
    assert (len(good.whole.boxes), good.ghosts, good.parts) == (2, 0, 1)
    assert good.whole.least == 0.7


def test_two_faults_in_one_place_are_one_the_surer_one(real):
    pixels, boxes, _ = scene([(10, 20, 6, 16)], 9)
    found = seen(boxes, (0.9,), [(0, 0.3, PART), (0, 0.6, GHOST)])
    good = quality.assess(found, pixels, salience.empty(real), {})
    assert (len(good.whole.boxes), good.ghosts, good.parts) == (0, 1, 0)


def test_an_object_fainter_than_real_ones_is_a_ghost(real):
    pixels, boxes, _ = scene([(10, 20, 6, 16), (24, 44, 6, 16)], 9)
    pixels[44:60, 24:30] = 120  # half transparent
    found = seen(boxes, (0.9, 0.8))
    for strong, whole in (({1: 0.3}, 1), ({2: 0.3}, 2)):  # a class that is not known is taken as it is
        good = quality.assess(found, pixels, salience.empty(real), strong)
        assert (len(good.whole.boxes), good.ghosts) == (whole, 2 - whole)


def test_nothing_seen_is_no_error(real):
    good = quality.assess(seen(np.empty((0, 4)), ()), scene([])[0], salience.empty(real), {1: 0.3})
    assert (len(good.whole.boxes), good.whole.least, good.whole.mean, good.ghosts, good.parts) == (0, None, None, 0, 0)


def test_only_objects_that_stand_free_are_asked_for_their_confidence():
    boxes = np.array([(0.1, 0.1, 0.2, 0.2), (0.29, 0.1, 0.2, 0.2), (0.6, 0.6, 0.2, 0.2)])
    assert seen(boxes, (0.3, 0.9, 0.8)).least == 0.8
    assert seen(boxes[:2], (0.3, 0.9)).least is None

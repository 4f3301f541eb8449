import numpy as np
import pytest

from stages.judge import quality, salience
from stages.judge.object_faults import FAULTS
from stages.judge.quality import Seen
from tests.helpers.judged_scenes import scene, several

FRAME = (640, 360)  # of the photographs
GHOST, PART = range(len(FAULTS))


@pytest.fixture(scope="module")
def real():
    return several()


def seen(boxes, confidence):
    return Seen(boxes, np.ones(len(boxes), int), np.array(confidence), np.empty((0, 6)))


def answer(*readings):
    """A detector's answer: place, confidence and class number of each reading; 8 stands for ghosts, 9 for parts."""
    places = np.array([(0.1, 0.1, 0.2, 0.2), (0.11, 0.12, 0.2, 0.2), (0.6, 0.6, 0.2, 0.2)])
    rows = np.array([(*places[k], sure, number) for k, sure, number in readings])
    return quality.sorted_out(rows, [8, 9], 0.25, 0.4)


def test_of_several_readings_of_one_place_the_surest_counts_whatever_it_is_taken_for():
    found = answer((0, 0.9, 1), (1, 0.6, 9), (1, 0.7, 2), (2, 0.5, 3), (2, 0.8, 8))
    assert found.classes.tolist() == [1] and found.faults[:, 4:].tolist() == [[0.8, GHOST]]
    assert answer((0, 0.5, 8), (1, 0.6, 9)).faults[:, 4:].tolist() == [[0.6, PART]]
    assert len(answer((0, 0.9, 1), (2, 0.8, 1)).boxes) == 2


def test_all_that_a_place_may_be_is_kept():
    found = answer((0, 0.9, 1), (1, 0.6, 9), (1, 0.7, 2), (2, 0.1, 3), (2, 0.8, 8), (2, 0.04, 9)).things
    assert found.certainties.tolist() == [[0.9, 0, 0.6], [0.1, 0.8, 0]] and found.classes.tolist() == [1, 3]
    assert answer((2, 0.8, 8)).things.classes.tolist() == [-1]
    assert quality.things(np.empty((0, 6)), [8, 9]).certainties.shape == (0, 3)


def test_a_fault_must_be_as_sure_as_those_are_that_real_images_show_beside():
    found = answer((0, 0.3, 1), (1, 0.35, 8), (2, 0.2, 1))
    assert found.confidence.tolist() == [0.3] and not len(found.faults)


def test_an_object_fainter_than_real_ones_is_a_ghost(real):
    pixels, boxes, _ = scene([(10, 20, 6, 16), (24, 44, 6, 16)], 9)
    pixels[44:60, 24:30] = 120  # half transparent
    found = seen(boxes, (0.9, 0.8))
    for strong, whole in (({1: 0.3}, 1), ({2: 0.3}, 2)):  # a class that is not known is taken as it is
        good = quality.assess(found, pixels, salience.empty(real), FRAME, strong, {})
        assert (len(good.whole.boxes), good.ghosts) == (whole, 2 - whole)


def test_an_object_that_stands_free_and_is_shorter_than_real_ones_is_a_part(real):
    """However sure the detector is: half a tube looks like a short tube. What lies at another may be hidden by it."""
    places = [(4, 4, 6, 16), (30, 4, 6, 8), (20, 44, 6, 16), (24, 44, 6, 8)]
    pixels, boxes, _ = scene(places)
    least = 0.9 * quality.lengths(boxes[:1], FRAME)[0]
    found = seen(boxes, (0.9, 0.9, 0.9, 0.9))
    good = quality.assess(found, pixels, salience.empty(real), FRAME, {}, {1: least})
    assert (len(good.whole.boxes), good.parts, good.ghosts) == (3, 1, 0)
    assert quality.assess(found, pixels, salience.empty(real), FRAME, {}, {2: least}).parts == 0


def test_nothing_seen_is_no_error(real):
    good = quality.assess(seen(np.empty((0, 4)), ()), scene([])[0], salience.empty(real), FRAME, {1: 0.3}, {1: 0.3})
    assert (len(good.whole.boxes), good.whole.least, good.whole.mean, good.ghosts, good.parts) == (0, None, None, 0, 0)


def test_only_objects_that_stand_free_are_asked_for_their_confidence():
    boxes = np.array([(0.1, 0.1, 0.2, 0.2), (0.29, 0.1, 0.2, 0.2), (0.6, 0.6, 0.2, 0.2)])
    assert seen(boxes, (0.3, 0.9, 0.8)).least == 0.8
    assert seen(boxes[:2], (0.3, 0.9)).least is None

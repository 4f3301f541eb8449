from dataclasses import replace

import numpy as np
import pytest

from stages.judge.arrangement import ArrangementChange
from stages.judge.limits import Limits
from stages.judge.quality import Quality, Seen
from stages.judge.verdict_rule import CandidateEvidence, verdict

LIMITS = Limits(confidence=0.5, mean=0.7, strong={}, long={}, manifold=0.02, fault=0.3)
BOXES = np.array([(0.1, 0.1, 0.2, 0.2), (0.4, 0.4, 0.2, 0.2), (0.7, 0.1, 0.2, 0.2)])
WHOLE = Seen(BOXES, np.zeros(3, int), np.array([0.9, 0.8, 0.9]), np.empty((0, 6)))
GOOD = Quality(WHOLE, ghosts=0, parts=0)
NONE = replace(WHOLE, boxes=BOXES[:0], classes=np.empty(0, int), confidence=np.empty(0))
NEW = CandidateEvidence(0.2, "a.png", ArrangementChange(0, 2, 0, 0, 1), "b.png", GOOD, 0.01)
SAME = ArrangementChange(0, 3, 0, 0, 0)


def say(**changes):
    return verdict(replace(NEW, **changes), 0.1, LIMITS, 0.2)


def test_new_and_good_is_green():
    assert say() == ("green", "new: 1 extra against b.png")


def test_a_copy_is_red_by_its_pixels_or_by_its_arrangement():
    assert say(distance=0.1) == ("red", "copy of a.png, distance 0.100 under 0.100")
    assert say(arrangement=SAME) == ("red", "the arrangement of b.png")
    assert say(arrangement=SAME, quality=replace(GOOD, ghosts=1))[0] == "yellow"  # and something more


def test_sure_objects_elsewhere_make_a_picture_new_however_near_its_pixels_are():
    assert say(distance=0.05, elsewhere=2) == say(distance=0.11, elsewhere=2) == say()
    assert say(distance=0.05, elsewhere=1)[0] == "red" and say(distance=0.11, elsewhere=1)[0] == "yellow"


@pytest.mark.parametrize(
    ("quality", "said"),
    [
        (Quality(NONE, 0, 0), "no whole objects"),
        (Quality(NONE, 1, 2), "no whole objects, 1 ghost, 2 parts"),
        (replace(GOOD, ghosts=2, parts=2), "3 whole objects, 2 ghosts, 2 parts"),
    ],
)
def test_mostly_partial_is_white(quality, said):
    assert say(quality=quality) == ("white", said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"quality": replace(GOOD, parts=1)}, "1 part"),
        ({"quality": replace(GOOD, ghosts=3)}, "3 ghosts"),
        ({"quality": replace(GOOD, whole=replace(WHOLE, confidence=np.array([0.9, 0.41, 0.95])))},
         "one object at 0.41 under 0.50"),
        ({"manifold": 0.03}, "unlike real images, 0.030 over 0.020"),
        ({"distance": 0.11}, "perhaps a copy of a.png, distance 0.110 near 0.100"),
    ],
)  # fmt: skip
def test_new_but_doubtful_is_yellow(change, said):
    assert say(**change) == ("yellow", f"new (1 extra against b.png), but {said}")


def test_what_lacks_only_what_is_faintly_seen_is_known():
    lacking = ArrangementChange(0, 2, 0, 1, 0)
    assert say(arrangement=lacking)[0] == "green"
    known = "the arrangement of b.png, 1 missing but faintly seen"
    assert say(arrangement=lacking, faintly_there=True) == ("red", known)

from dataclasses import replace

import numpy as np
import pytest

from stages.judge.arrangement import ArrangementChange
from stages.judge.grading import Grade
from stages.judge.quality import Quality, Seen
from stages.judge.verdict_rule import CandidateEvidence, verdict

GREEN, YELLOW, WHITE = (Grade(colour, 0.8, "something") for colour in ("green", "yellow", "white"))
BOXES = np.array([(0.1, 0.1, 0.2, 0.2), (0.4, 0.4, 0.2, 0.2), (0.7, 0.1, 0.2, 0.2)])
WHOLE = Seen(BOXES, np.zeros(3, int), np.array([0.9, 0.8, 0.9]), np.empty((0, 6)))
GOOD = Quality(WHOLE, ghosts=0, parts=0)
NONE = replace(WHOLE, boxes=BOXES[:0], classes=np.empty(0, int), confidence=np.empty(0))
NEW = CandidateEvidence(0.2, "a.png", ArrangementChange(0, 2, 0, 0, 1), "b.png", GOOD, GREEN, 0.01)
SAME = ArrangementChange(0, 3, 0, 0, 0)


def say(**changes):
    return verdict(replace(NEW, **changes), 0.1, 0.2)


def test_new_and_good_is_green():
    assert say() == ("green", "new: 1 extra against b.png")


def test_a_copy_is_red_by_its_pixels_or_by_its_arrangement():
    assert say(distance=0.1) == ("red", "copy of a.png, distance 0.100 under 0.100")
    assert say(arrangement=SAME) == ("red", "the arrangement of b.png")
    assert say(arrangement=SAME, quality=replace(GOOD, ghosts=1), grade=YELLOW)[0] == "yellow"  # something more


def test_sure_objects_elsewhere_make_a_picture_new_however_near_its_pixels_are():
    assert say(distance=0.05, elsewhere=2) == say(distance=0.11, elsewhere=2) == say()
    assert say(distance=0.05, elsewhere=1)[0] == "red" and say(distance=0.11, elsewhere=1)[0] == "yellow"


@pytest.mark.parametrize(
    ("quality", "grade", "said"),
    [
        (Quality(NONE, 0, 0), GREEN, "no whole objects"),
        (Quality(NONE, 1, 2), WHITE, "no whole objects, 1 ghost, 2 parts"),
        (replace(GOOD, ghosts=2), WHITE, "3 whole objects, 2 ghosts; white by 80%, most by something"),
    ],
)
def test_mostly_partial_is_white(quality, grade, said):
    assert say(quality=quality, grade=grade) == ("white", said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"grade": YELLOW}, "yellow by 80%, most by something"),
        ({"grade": YELLOW, "quality": replace(GOOD, parts=1)}, "1 part, yellow by 80%, most by something"),
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

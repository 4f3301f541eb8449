from dataclasses import replace

import pytest

from stages.judge.arrangement import Difference
from stages.judge.limits import Limits
from stages.judge.quality import Quality
from stages.judge.verdict import Evidence, verdict

LIMITS = Limits(confidence=0.5, whole={}, strong={}, trace=0.1, ghost=0.05, manifold=0.02)
GOOD = Quality(objects=3, free=3, partial=0, faint=0, least=0.8, mean=0.9, trace=0.0, ghost=0.01)
NEW = Evidence(0.2, "a.png", Difference(0, 2, 0, 0, 1), "b.png", GOOD, 0.01)


def say(**changes):
    return verdict(replace(NEW, **changes), 0.1, LIMITS)


def test_new_and_good_is_green():
    assert say() == ("green", "new: 1 extra against b.png")


def test_a_copy_is_red_by_its_pixels_or_by_its_arrangement():
    assert say(distance=0.1) == ("red", "copy of a.png, distance 0.100 under 0.100")
    assert say(arrangement=Difference(0, 3, 0, 0, 0)) == ("red", "the arrangement of b.png")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"objects": 0}, "no object is found"),
        ({"partial": 2}, "2 of 3 objects are partial"),
    ],
)
def test_mostly_partial_is_white(change, said):
    assert say(quality=replace(GOOD, **change)) == ("white", said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"partial": 1}, "1 of 3 objects partial"),
        ({"faint": 1}, "1 of 3 objects fainter than real ones"),
        ({"least": 0.41}, "one object at 0.41 under 0.50"),
        ({"trace": 0.2}, "a ghost at 0.200 over 0.100"),
        ({"ghost": 0.06}, "something half drawn, 0.060 over 0.050"),
    ],
)
def test_new_but_doubtful_is_yellow(change, said):
    assert say(quality=replace(GOOD, **change)) == ("yellow", f"new (1 extra against b.png), but {said}")
    assert say(manifold=0.03)[0] == "yellow"
    assert say(quality=replace(GOOD, least=None)) == say()  # no free object, nothing to doubt

from dataclasses import replace

import numpy as np
import pytest

from stages.judge import grading
from stages.judge.grading import GRADES, Graded, KnownBin, Strength
from stages.judge.quality import Seen, Things
from tests.helpers.judged_scenes import scene, several

FRAME = (640, 360)
USUAL = Strength(0.55, 0.03)
BOXES = np.array([(0.1, 0.1, 0.1, 0.25), (0.6, 0.6, 0.1, 0.25)])


def things(*certainties):
    count = len(certainties)
    return Things(BOXES[:count], np.ones(count, int), np.array(certainties, float).reshape(-1, 3))


def seen(of):
    whole = of.certainties[:, 0]
    return Seen(of.boxes, of.classes, whole, np.empty((0, 6)), things=of)


@pytest.fixture(scope="module")
def values():
    """The evidence of a picture of two things, by what they may be."""
    pixels, _, _ = scene([(6, 6, 6, 16), (38, 38, 6, 16)])
    by = KnownBin(np.median([one / 255 for one in several().pixels], 0), FRAME, {1: USUAL}, {}, {})

    def of(*certainties, strangeness=0.01, by=by):
        found = grading.evidence(seen(things(*certainties)), pixels, strangeness, by)
        return dict(zip(grading.VALUES, found, strict=True))

    of.by = by
    return of


def test_everything_that_a_thing_may_be_is_weighed(values):
    sure, torn = values((0.9, 0, 0), (0.8, 0, 0)), values((0.9, 0, 0), (0.8, 0, 0.7))
    assert sure["worst"] == torn["best"] == grading.FAR and torn["worst"] < 1
    assert (sure["part"], torn["part"]) == (0, 0.7) and torn["partial"] > sure["partial"]
    assert torn["parts"] > sure["parts"] and torn["ghostly"] == pytest.approx(sure["ghostly"], abs=0.02)
    assert values((0.9, 0, 0), (0.3, 0.6, 0))["ghost"] == 0.6


def test_what_is_hardly_seen_is_not_asked_what_it_is(values):
    assert values((0.9, 0, 0), (0, 0.2, 0))["worst"] == values((0.9, 0, 0))["worst"]


def test_the_thing_that_stands_out_least_counts(values):
    assert grading.FAINT <= values((0.9, 0, 0))["weakest"] <= grading.STRONG
    strict = replace(values.by, usual={1: Strength(0.9, 0.03)})
    assert values((0.9, 0, 0), by=strict)["weakest"] == grading.FAINT
    unknown = replace(values.by, usual={})
    assert values((0.9, 0, 0), by=unknown)["weakest"] == 0


def test_a_short_object_is_a_part_and_a_faint_one_a_ghost(values):
    short, faint = replace(values.by, long={1: 0.9}), replace(values.by, strong={1: 0.9})
    assert values((0.9, 0, 0), by=short)["part"] == values((0.9, 0, 0), by=faint)["ghost"] == 0.9
    assert values((0.9, 0, 0), by=replace(faint, long={1: 0.9}))["part"] == 0


def test_nothing_seen_is_no_error(values):
    assert all(np.isfinite(list(values().values())))


def test_it_learns_what_tells_the_grades_apart_and_says_it():
    rng = np.random.default_rng(0)
    grades = rng.integers(3, size=300)
    evidence = rng.normal(0, 1, (300, len(grading.VALUES)))
    part, weakest = (list(grading.VALUES).index(name) for name in ("part", "weakest"))
    evidence[:, part] += 4 * (grades == 2)
    evidence[:, weakest] -= 4 * (grades == 1)
    grader = grading.fit([Graded(evidence[:200], grades[:200], np.ones(200))])
    said = grader.grades(evidence[200:])
    assert np.mean([one.colour == GRADES[grade] for one, grade in zip(said, grades[200:], strict=True)]) > 0.9
    sure = max(said, key=lambda one: one.chance * (one.colour == "white"))
    assert sure.says().startswith("white by ") and sure.says().endswith(grading.VALUES["part"])


def test_pictures_that_count_more_weigh_more():
    evidence = np.zeros((2, len(grading.VALUES)))
    green, white = (grading.fit([Graded(evidence, np.array([0, 2]), np.array(w))]) for w in ((9.0, 1), (1.0, 9)))
    assert green.grades(evidence)[0].colour == "green" and white.grades(evidence)[0].colour == "white"

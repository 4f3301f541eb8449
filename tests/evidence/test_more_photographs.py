import msgspec
import numpy as np
import pytest

from stages import files, paths
from stages.evidence import more_photographs, study_answer
from stages.evidence.more_photographs import Curve, Step
from stages.evidence.statistics import Interval
from tests.helpers.study_rows import EVERY, LEARNT, PARAMS, PRODUCTS, rows

CURVE = Curve([Step(5, 10, Interval(0.1, 0.05, 0.2)), Step(10, 20, Interval(0.02, -0.01, 0.04))], ["crate"], 0.03)


def test_the_curve_is_of_the_same_products_and_draws_with_all_photographs_as_its_last_point(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files.write_json(paths.STUDY, study_answer.summary(rows(), dict.fromkeys(PRODUCTS, EVERY), PARAMS))
    curve = more_photographs.read()
    assert [(step.fewer, step.more) for step in curve.steps] == [(1, 3), (3, 5), (5, 10), (10, 20), (20, 50), (50, 100)]
    for step in curve.steps:
        assert step.gain.value == pytest.approx(LEARNT[step.more] - LEARNT[step.fewer], abs=0.01)
        assert step.gain.low < step.gain.value < step.gain.high
    assert curve.products == list(PRODUCTS) and 0.001 < curve.chance < 0.02


def test_a_gain_is_read_along_the_logarithm_and_adds_up_over_steps():
    assert CURVE.gain(10, 10) == Interval(0.02, -0.01, 0.04)
    share = np.log(11 / 10) / np.log(2)
    assert CURVE.gain(10, 1).value == pytest.approx(0.02 * share)
    both = CURVE.gain(5, 15)
    assert (both.value, both.low, both.high) == pytest.approx((0.12, 0.04, 0.24))


def test_nothing_is_said_beyond_the_ends_of_the_curve():
    assert CURVE.gain(0, 10) is None and CURVE.gain(4, 10) is None and CURVE.gain(20, 1) is None
    assert CURVE.gain(19, 1).value == pytest.approx(0.02 * np.log(20 / 19) / np.log(2))
    assert CURVE.gain(19, 10) is None and CURVE.gain(11, 10) is None  # the curve says nothing of 21


def test_enough_is_where_more_bring_less_than_chance():
    assert CURVE.enough(10) == next(n for n in range(5, 20) if CURVE.gain(n, 10).value < 0.03)
    assert Curve(CURVE.steps, ["crate"], None).enough(10) is None
    assert Curve(CURVE.steps, ["crate"], 1e-9).enough(10) is None


def test_without_a_study_or_a_baseline_there_is_no_curve(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not paths.STUDY.exists() and more_photographs.read() is None
    other = msgspec.structs.replace(PARAMS.arms["ten_standard"], augment="mosaic")
    bare = msgspec.structs.replace(PARAMS, arms=PARAMS.arms | {"ten_standard": other})
    files.write_json(paths.STUDY, study_answer.summary(rows(), dict.fromkeys(PRODUCTS, EVERY), bare))
    assert more_photographs.read().gain(5, 5) is None

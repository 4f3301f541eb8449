import numpy as np
import pytest

from stages.judge import set_metrics

RNG = np.random.default_rng(0)
REAL = RNG.normal(size=(80, 4))


NONE = np.empty((0, 4))


def figures(fake, real=REAL, held=NONE):
    return {figure.name: figure for figure in set_metrics.figures(fake, real, held)}


def test_copies_are_precise_complete_and_no_more():
    found = figures(REAL.copy())
    assert found["precision"].value == found["coverage"].value == found["recall"].value == 1
    assert found["authenticity"].value == 0
    assert found["kid"].value == pytest.approx(0, abs=0.5)  # unbiased: it may be below 0


def test_fresh_draws_of_the_same_kind_are_authentic_and_alike():
    fresh, held = RNG.normal(size=(2, 200, 4))
    found = figures(fresh, held=held)
    assert found["precision"].value > 0.8 and found["density"].value == pytest.approx(1, abs=0.3)
    assert 0.3 < found["authenticity"].value < 0.9
    assert abs(found["c_t"].value) < 3
    assert figures(REAL + 0.001, held=held)["c_t"].value < -5  # too near to what it learned from


def test_another_kind_is_imprecise_and_apart():
    found = figures(RNG.normal(size=(100, 4)) + 8)
    assert found["precision"].value == found["coverage"].value == 0
    assert found["kid"].value > 100


def test_collapse_lowers_coverage_and_not_precision():
    found = figures(np.repeat(REAL[:1], 50, 0))
    assert found["precision"].value == 1
    assert found["coverage"].value < 0.2


def test_too_few_images_are_refused_with_a_reason():
    found = figures(REAL, real=REAL[:5])
    assert (
        found["precision"].value is None and "5 training images are too few; 7 are needed" in found["precision"].means
    )
    assert found["kid"].value is None and found["c_t"].value is None
    assert found["authenticity"].value is not None
    assert figures(REAL, real=REAL[:1])["authenticity"].value is None


def test_too_few_candidates_are_refused_with_a_reason():
    found = figures(RNG.normal(size=(3, 4)))
    for name, least in (("precision", 7), ("coverage", 7), ("kid", 50)):
        assert found[name].value is None and f"3 candidates are too few; {least} are needed" in found[name].means
    assert found["authenticity"].value is not None


def test_distinct_counts_what_is_no_copy_of_an_earlier_one():
    rng = np.random.default_rng(1)
    kinds = rng.integers(0, 256, (3, 8, 8, 3), np.uint8).repeat(8, 1).repeat(8, 2)
    pixels = np.concatenate([kinds, kinds[:, :, ::-1], kinds[:1]])
    assert set_metrics.distinct(np.ascontiguousarray(pixels), 0.01, 0.0) == 3

import numpy as np
import pytest

from stages.evidence import statistics
from stages.evidence.statistics import Difference, Scores


def scores(means, noise, shared):
    """Seeds of some means, each with draws that share the images' luck."""
    rng = np.random.default_rng(int(1000 * sum(means)))
    draws = [mean + shared + rng.normal(0, noise, len(shared)) for mean in means]
    return Scores(np.array(means), np.array(draws))


LUCK = np.random.default_rng(0).normal(0, 0.05, 1000)  # of the images that were drawn


def test_pairing_takes_the_images_luck_out():
    a, b = scores([0.52, 0.53], 0.002, LUCK), scores([0.5, 0.51], 0.002, LUCK)
    found = statistics.difference(a, b, 0)
    assert found.value == pytest.approx(0.02)
    assert 0.01 < found.low < 0.02 < found.high < 0.03
    low, high = statistics.interval(statistics.resampled(a, 0))
    assert high - low > 0.15  # alone, the images' luck hides it
    assert statistics.word(found, found.p) == "helps"
    assert statistics.word(statistics.difference(b, a, 0), 0.001) == "hurts"


def test_seeds_that_disagree_widen_the_interval():
    steady, shaky = scores([0.5, 0.5], 0.002, LUCK), scores([0.45, 0.6], 0.002, LUCK)
    found = statistics.difference(shaky, steady, 0)
    assert found.low < 0 < found.high
    assert statistics.word(found, found.p) == "inconclusive"


def test_the_same_arm_is_no_different_from_itself():
    a = scores([0.5, 0.6], 0.01, LUCK)
    assert statistics.difference(a, a, 0) == Difference(0, 0, 0, 1)


def test_recovered_only_where_there_is_a_way():
    few, most = scores([0.3, 0.3], 0.01, LUCK), scores([0.7, 0.7], 0.01, LUCK)
    assert statistics.recovered(scores([0.6, 0.6], 0.01, LUCK), few, most, 0) == pytest.approx(0.75)
    assert statistics.recovered(most, few, scores([0.3, 0.31], 0.05, LUCK), 0) is None


def test_holm_by_hand():
    assert statistics.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert statistics.holm([0.9, 0.9]) == [1, 1]
    assert statistics.holm([]) == []


def test_a_corrected_p_value_can_take_a_word_back():
    assert statistics.word(Difference(0.1, 0.01, 0.2, 0.03), 0.03) == "helps"
    assert statistics.word(Difference(0.1, 0.01, 0.2, 0.03), 0.06) == "inconclusive"

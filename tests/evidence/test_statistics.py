import numpy as np
import pytest

from stages.evidence import statistics
from stages.evidence.statistics import Difference, Scores

TIMES = 4000


def scores(means, noise, shared):
    """Return runs of some means, each with draws that share the images' luck."""
    rng = np.random.default_rng(int(1000 * sum(means)))
    draws = [mean + shared + rng.normal(0, noise, len(shared)) for mean in means]
    return Scores(np.array(means), np.array(draws))


def difference(a, b, spread=None):
    return statistics.difference([a], [b], TIMES, 0, spread)


LUCK = np.random.default_rng(0).normal(0, 0.05, 1000)  # of the images that were drawn


def test_pairing_takes_the_images_luck_out():
    a, b = scores([0.52, 0.53], 0.002, LUCK), scores([0.5, 0.51], 0.002, LUCK)
    found = difference(a, b)
    assert found.value == pytest.approx(0.02)
    assert 0.01 < found.low < 0.02 < found.high < 0.03
    alone = statistics.estimate([a], TIMES, 0)
    assert alone.high - alone.low > 0.15  # alone, the images' luck hides it
    assert statistics.word(found, found.p) == "helps"
    assert statistics.word(difference(b, a), 0.001) == "hurts"


def test_seeds_that_disagree_widen_the_interval_and_what_can_be_seen():
    steady, shaky = scores([0.5, 0.5], 0.002, LUCK), scores([0.45, 0.6], 0.002, LUCK)
    found = difference(shaky, steady)
    assert found.low < 0 < found.high
    assert statistics.word(found, found.p) == "inconclusive"
    assert found.least > 5 * difference(steady, scores([0.51, 0.51], 0.002, LUCK)).least


def test_the_same_arm_is_no_different_from_itself():
    a = scores([0.5, 0.6], 0.01, LUCK)
    assert difference(a, a) == Difference(0, 0, 0, 1, 0)


def test_a_single_seed_says_what_seeds_are_known_to_change_and_without_that_nothing():
    a, b = scores([0.55], 0.001, LUCK), scores([0.5], 0.001, LUCK)
    assert (difference(a, b).low, difference(a, b).high) == (-1, 1)
    known = difference(a, b, spread=0.03)
    assert known.low < 0 < 0.05 < known.high  # 0.05 ± 1.96 × 0.03
    assert difference(a, b, spread=0.01).low > 0
    assert known.least == pytest.approx(2.8 * 0.03, rel=0.1)


def test_intervals_have_the_width_that_theory_gives():
    """Of a mean of five runs that spread by 0.1, without any luck of images."""
    runs = np.random.default_rng(1).normal(0.5, 0.1, 5)
    low, high = statistics.interval(statistics.resampled([Scores(runs, np.tile(runs[:, None], 10))], TIMES, 0))
    assert high - low == pytest.approx(2 * 1.96 * runs.std(ddof=1) / np.sqrt(5), rel=0.12)


def test_products_that_disagree_widen_the_interval():
    base = [scores([0.5, 0.5], 0.001, 0 * LUCK) for _ in range(3)]
    same = [scores([0.52, 0.52], 0.001, 0 * LUCK) for _ in range(3)]
    other = [scores([v, v], 0.001, 0 * LUCK) for v in (0.46, 0.52, 0.58)]
    alike = statistics.difference(same, base, TIMES, 0, None)
    apart = statistics.difference(other, base, TIMES, 0, None)
    assert alike.value == apart.value == pytest.approx(0.02)
    assert alike.low > 0 > apart.low
    assert apart.high - apart.low > 0.06


def test_closed_only_where_there_is_a_way():
    few, most = scores([0.3, 0.3], 0.01, LUCK), scores([0.7, 0.7], 0.01, LUCK)
    arm = scores([0.6, 0.6], 0.01, LUCK)
    way = statistics.closed([arm], [few], [most], TIMES, 0, None)
    assert way is not None and way.value == pytest.approx(0.75)
    assert 0.65 < way.low < 0.75 < way.high < 0.85
    near = scores([0.3, 0.31], 0.05, LUCK)
    assert statistics.closed([most], [few], [near], TIMES, 0, None) is None


def test_the_spread_of_single_differences_by_hand():
    a, b = scores([0.5, 0.7], 0, LUCK), scores([0.5, 0.6], 0, LUCK)
    assert statistics.spread([a], [b]) == pytest.approx(np.std([0, 0.1], ddof=1))
    assert statistics.spread([scores([0.5], 0, LUCK)], [scores([0.4], 0, LUCK)]) is None


def test_holm_by_hand():
    assert statistics.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert statistics.holm([0.9, 0.9]) == [1, 1]
    assert statistics.holm([]) == []


def test_a_corrected_p_value_can_take_a_word_back():
    assert statistics.word(Difference(0.1, 0.01, 0.2, 0.03, 0.1), 0.03) == "helps"
    assert statistics.word(Difference(0.1, 0.01, 0.2, 0.03, 0.1), 0.06) == "inconclusive"

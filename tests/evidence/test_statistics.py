import numpy as np
import pytest

from stages.evidence import statistics
from stages.evidence.statistics import Difference, Sampling, Scores, Spread

TIMES = 4000


def scores(means, noise, shared):
    """Return runs of some means, each with draws that share the images' luck."""
    rng = np.random.default_rng(int(1000 * sum(means)))
    draws = [mean + shared + rng.normal(0, noise, len(shared)) for mean in means]
    return Scores(np.array(means), np.array(draws))


def by(spread, freedom=10_000):
    return Sampling(TIMES, 0, spread and Spread(spread, freedom))


def difference(a, b, spread=0.004):
    return statistics.difference([a], [b], by(spread))


LUCK = np.random.default_rng(0).normal(0, 0.05, 1000)  # of the images that were drawn


def test_pairing_takes_the_images_luck_out():
    a, b = scores([0.52, 0.53], 0.002, LUCK), scores([0.5, 0.51], 0.002, LUCK)
    found = difference(a, b)
    assert found.value == pytest.approx(0.02)
    assert 0.01 < found.low < 0.02 < found.high < 0.03
    alone = statistics.estimate([a], by(0.004))
    assert alone.high - alone.low > 0.15  # alone, the images' luck hides it
    assert statistics.word(found, found.p) == "helps"
    assert statistics.word(difference(b, a), 0.001) == "hurts"


def test_what_seeds_change_widens_the_interval_and_what_can_be_seen():
    a, b = scores([0.55, 0.55], 0.002, LUCK), scores([0.5, 0.5], 0.002, LUCK)
    steady, shaky = difference(a, b, 0.004), difference(a, b, 0.08)
    assert statistics.word(steady, steady.p) == "helps"
    assert shaky.low < 0 < shaky.high and statistics.word(shaky, shaky.p) == "inconclusive"
    assert shaky.least > 5 * steady.least
    assert shaky.least == pytest.approx(2.8 * 0.08 / np.sqrt(2), rel=0.1)  # two runs


def test_the_same_arm_is_no_different_from_itself():
    a = scores([0.5, 0.6], 0.01, LUCK)
    assert difference(a, a) == Difference(0, 0, 0, 1, 0)


def test_where_nothing_says_what_seeds_change_nothing_is_certain():
    a, b = scores([0.55], 0.001, LUCK), scores([0.5], 0.001, LUCK)
    found = difference(a, b, None)
    assert (found.low, found.high) == (-1, 1)
    assert difference(a, b, 0.03).low < 0 < 0.05 < difference(a, b, 0.03).high  # 0.05 ± 1.96 × 0.03
    assert difference(a, b, 0.01).low > 0
    assert statistics.estimate([a], by(None)).high > 0.6  # an arm alone has its images' interval


def coverage(products, runs, between, times=1000):
    """Return how often the interval of two arms that are alike holds 0: runs spread by 0.02, images by 0.01."""
    rng, held = np.random.default_rng(0), 0
    for trial in range(times):
        pairs = []
        for _ in range(products):
            images, shift = rng.normal(0, 0.01, 100), rng.normal(0, between) + rng.normal(0, 0.01)
            a, b = rng.normal(0.6 + shift, 0.014, runs), rng.normal(0.6, 0.014, runs)
            pairs.append((Scores(a, a[:, None] + images), Scores(b, np.tile(b[:, None], 100))))
        left, right = ([pair[k] for pair in pairs] for k in (0, 1))
        found = statistics.difference(left, right, Sampling(500, trial, Spread(0.02, 10_000)))
        held += found.low <= 0 <= found.high
    return held / times


@pytest.mark.parametrize(("products", "runs", "between"), [(1, 1, 0), (1, 2, 0), (3, 1, 0.02), (3, 2, 0), (3, 2, 0.05)])
def test_intervals_hold_what_they_promise(products, runs, between):
    """With two seeds, and with three products, too."""
    assert coverage(products, runs, between) >= 0.92


def test_products_that_disagree_widen_the_interval():
    base = [scores([0.5, 0.5], 0.001, 0 * LUCK) for _ in range(3)]
    same = [scores([0.52, 0.52], 0.001, 0 * LUCK) for _ in range(3)]
    other = [scores([v, v], 0.001, 0 * LUCK) for v in (0.46, 0.52, 0.58)]
    alike, apart = (statistics.difference(arm, base, by(0.004)) for arm in (same, other))
    assert alike.value == apart.value == pytest.approx(0.02)
    assert alike.low > 0 > apart.low
    assert apart.high - apart.low == pytest.approx(2 * 4.30 * 0.06 / np.sqrt(3), rel=0.1)  # Student's t of three


def test_closed_only_where_there_is_a_way():
    few, most = scores([0.3, 0.3], 0.01, LUCK), scores([0.7, 0.7], 0.01, LUCK)
    arm = scores([0.6, 0.6], 0.01, LUCK)
    way = statistics.closed([arm], [few], [most], by(0.02))
    assert way is not None and way.value == pytest.approx(0.75)
    assert 0.6 < way.low < 0.72 and 0.78 < way.high < 0.9
    assert statistics.closed([most], [few], [scores([0.3, 0.31], 0.05, LUCK)], by(0.02)) is None
    one = [scores([v], 0.001, 0 * LUCK) for v in (0.6, 0.3, 0.7)]
    single = statistics.closed(*([of] for of in one), by(0.02))
    assert single is not None and single.high - single.low > 0.1  # another seed would change it


def test_the_spread_of_single_differences_by_hand():
    a, b = scores([0.5, 0.7], 0, LUCK), scores([0.5, 0.6], 0, LUCK)
    assert statistics.spread([[a], [b]]) == Spread(pytest.approx(np.std([0, 0.1], ddof=1)), 1)
    assert statistics.spread([[a], [a], [b]]).freedom == 2
    assert statistics.spread([[a, a], [b, b]]) == Spread(pytest.approx(np.std([0, 0.1], ddof=1)), 2)  # two products
    assert statistics.spread([[a]]) == Spread(pytest.approx(np.sqrt(2) * np.std([0.5, 0.7], ddof=1)), 1)
    single = scores([0.5], 0, LUCK)
    assert statistics.spread([[single], [single]]) is None
    assert statistics.spread([[single], [a], [b]]) == statistics.spread([[a], [b]])


def test_what_another_comparison_says_counts_for_so_much_and_no_more():
    own, longer = Spread(0.03, 2), Spread(0.01, 50)
    assert own.with_more(None, 6) == own
    both = own.with_more(longer, 6)
    assert both.freedom == 8 and both.value == pytest.approx(np.sqrt((2 * 0.03**2 + 6 * 0.01**2) / 8))
    assert own.with_more(Spread(0.01, 1), 6).freedom == 3


def test_no_arm_is_more_to_the_spread_than_another():
    rng = np.random.default_rng(1)
    arms = [[scores(rng.normal(0.6, 0.02, 3).tolist(), 0, LUCK)] for _ in range(5)]
    assert statistics.spread(arms[::-1]).value == pytest.approx(statistics.spread(arms).value)
    assert statistics.spread(arms).freedom == 8


@pytest.mark.parametrize(("arms", "runs"), [(4, 2), (8, 2), (3, 3), (13, 2)])
def test_a_spread_that_was_read_from_few_runs_widens_what_rests_on_it(arms, runs):
    """Two of several arms that are alike, where nothing but seeds differs."""
    rng, held, trials = np.random.default_rng(2), 0, 300
    for trial in range(trials):
        of = [[Scores(one, np.tile(one[:, None], 10))] for one in rng.normal(0.6, 0.02, (arms, runs))]
        found = statistics.difference(of[0], of[1], Sampling(1000, trial, statistics.spread(of)))
        held += found.low <= 0 <= found.high
    assert held / trials >= 0.92


def test_holm_by_hand():
    assert statistics.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert statistics.holm([0.9, 0.9]) == [1, 1]
    assert statistics.holm([]) == []


def test_a_corrected_p_value_can_take_a_word_back():
    assert statistics.word(Difference(0.1, 0.01, 0.2, 0.03, 0.1), 0.03) == "helps"
    assert statistics.word(Difference(0.1, 0.01, 0.2, 0.03, 0.1), 0.06) == "inconclusive"

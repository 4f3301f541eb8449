"""What a difference between two arms is worth, with all that varies in its interval: products, draws of the
photographs, seeds, and test images.

Each value is looked at in two ways, and the wider interval is kept. *Within* the products that there are: test images
drawn with replacement, and runs that spread as single runs of all arms do, which is known from few. *Over* products: as
Student's t has it for so few; what runs and images do is in each product's mean. A single product can only be looked at
in the first way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.05  # of error that is accepted: intervals are of 95 %
POWER = 1.96 + 0.84  # standard errors of a difference that is seen four times in five


@dataclass(frozen=True)
class Scores:
    """One arm's mAP50-95 (or another share) on one product, of each of its runs: a seed, or a draw of photographs."""

    runs: np.ndarray  # (runs,)
    draws: np.ndarray  # (runs, times): each over images drawn with replacement; draw k has the same images in all arms

    @property
    def value(self) -> float:
        return float(self.runs.mean())


Arm = Sequence[Scores]  # one for each product, in the same order as its opponent's
Measure = Callable[[np.ndarray], np.ndarray]  # of some arms' values (arms, times): one value each time, or not a number


@dataclass(frozen=True)
class Interval:
    """A value, and the ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """By how much one arm is better than another."""

    value: float
    low: float
    high: float
    p: float  # two-sided
    least: float  # the smallest difference that such a comparison sees four times in five


@dataclass(frozen=True)
class Spread:
    """How much chance changes: the standard deviation of the difference between single runs of two arms."""

    value: float
    freedom: float  # degrees: of so many independent differences it was read

    def draws(self, times: int, rng: np.random.Generator) -> np.ndarray:
        """Return what it may be as well, the wider apart the fewer it was read from."""
        return self.value * np.sqrt(self.freedom / rng.chisquare(self.freedom, times))

    def with_more(self, other: Spread | None, most: float) -> Spread:
        """Return what this and another say together; the other counts for `most` degrees of freedom at most."""
        if other is None:
            return self
        freedom = min(other.freedom, most)
        whole = self.freedom + freedom
        return Spread(float(np.sqrt((self.freedom * self.value**2 + freedom * other.value**2) / whole)), whole)


@dataclass(frozen=True)
class Sampling:
    """How values are drawn again."""

    times: int
    seed: int
    spread: Spread | None  # None: not known


def value(arm: Arm) -> float:
    """Return the mean over products of the mean over runs."""
    return float(np.mean([scores.value for scores in arm]))


def drawn(arms: Sequence[Arm], measure: Measure, by: Sampling) -> np.ndarray | None:
    """Return a measure of some arms, as often as it is drawn, in the way that makes it vary most; None: in no way."""
    ways = [within(arms, by)] if by.spread is not None else []
    ways += [over_products(arms, by)] if len(arms[0]) > 1 else []
    found = [values[np.isfinite(values)] for values in map(measure, ways)]
    return max(found, key=width) if found else None


def width(draws: np.ndarray) -> float:
    """Return how wide the interval of some draws is."""
    low, high = interval(draws)
    return high - low


def within(arms: Sequence[Arm], by: Sampling) -> np.ndarray:
    """Return the arms' values (arms, times) with other test images and, as far as it is known how these spread, other
    runs, on the same products."""
    rng, products = np.random.default_rng(by.seed), len(arms[0])
    spread = by.spread.draws(by.times, rng) if by.spread else 0.0
    found = np.tile([[value(arm)] for arm in arms], by.times)
    for product in range(products):
        picked = rng.integers(arms[0][product].draws.shape[1], size=by.times)  # the same images for every arm
        for k, arm in enumerate(arms):
            scores = arm[product]
            images = scores.draws.mean(0)
            noise = rng.normal(0, spread / np.sqrt(2 * len(scores.runs)), by.times)
            found[k] += (images[picked] - images.mean() + noise) / products
    return found


def over_products(arms: Sequence[Arm], by: Sampling) -> np.ndarray:
    """Return the arms' values (arms, times) on other products, of which those that there are are a sample."""
    rng = np.random.default_rng(by.seed)
    means = np.array([[scores.value for scores in arm] for arm in arms])
    count = means.shape[1]
    apart = (means - means.mean(1, keepdims=True)) / np.sqrt(count * (count - 1))
    widened = np.sqrt((count - 1) / rng.chisquare(count - 1, by.times))
    return means.mean(1, keepdims=True) + apart @ rng.normal(size=(count, by.times)) * widened


def interval(draws: np.ndarray) -> tuple[float, float]:
    """Return the middle 95 % of some draws."""
    low, high = np.percentile(draws, (100 * LEVEL / 2, 100 * (1 - LEVEL / 2)))
    return float(low), float(high)


def estimate(arm: Arm, by: Sampling) -> Interval:
    """Return an arm's value with its interval; where nothing says how runs spread, of test images alone."""
    draws = drawn([arm], lambda values: values[0], by)
    if draws is None:
        draws = within([arm], by)[0]
    return Interval(value(arm), *interval(draws))


def difference(a: Arm, b: Arm, by: Sampling) -> Difference:
    """Return how much better `a` is than `b`. Where nothing says how runs spread, nothing is certain."""
    gain, draws = value(a) - value(b), drawn([a, b], lambda values: values[0] - values[1], by)
    if all(one is other for one, other in zip(a, b, strict=True)):
        return Difference(0.0, 0.0, 0.0, 1.0, 0.0)
    if draws is None:
        return Difference(gain, -1.0, 1.0, 1.0, 1.0)
    low, high = interval(draws)
    tail = min((draws <= 0).sum(), (draws >= 0).sum())
    least = POWER * (high - low) / (2 * 1.96)
    return Difference(gain, low, high, float(min(1.0, 2 * (tail + 1) / (len(draws) + 1))), least)


def closed(arm: Arm, start: Arm, end: Arm, by: Sampling) -> Interval | None:
    """Return how much of the way from `start` to `end` an arm has gone; None where there may be none."""
    if difference(end, start, by).low <= 0:
        return None

    def way(values: np.ndarray) -> np.ndarray:
        there = values[2] - values[1]
        return np.divide(values[0] - values[1], there, out=np.full(len(there), np.nan), where=there > 0)

    draws = drawn([arm, start, end], way, by)
    assert draws is not None  # else the difference would not be certain
    return Interval((value(arm) - value(start)) / (value(end) - value(start)), *interval(draws))


def spread(arms: Sequence[Arm]) -> Spread | None:
    """Return how much single runs of two arms differ by chance, from what is left of all arms' values without what all
    of a run, and all of an arm, have in common. Arms of a single run say nothing."""
    left, freedom = 0.0, 0
    for of_product in zip(*arms, strict=True):
        for count in {len(scores.runs) for scores in of_product} - {1}:
            runs = np.array([scores.runs for scores in of_product if len(scores.runs) == count])
            apart = runs - runs.mean(1, keepdims=True)
            apart -= apart.mean(0) if len(runs) > 1 else 0
            left += 2 * float((apart**2).sum())
            freedom += (count - 1) * max(1, len(runs) - 1)
    return Spread(float(np.sqrt(left / freedom)), freedom) if freedom else None


def holm(ps: Sequence[float]) -> list[float]:
    """Return Holm's correction: p values that may be compared with the level although there are several."""
    adjusted, highest = [0.0] * len(ps), 0.0
    for rank, k in enumerate(np.argsort(ps, kind="stable")):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[k]))
        adjusted[k] = highest
    return adjusted


def word(of: Difference, p: float) -> str:
    """Return what a difference says. `p` is its own, or the corrected one where it is one of several."""
    if p >= LEVEL or of.low <= 0 <= of.high:
        return "inconclusive"
    return "helps" if of.value > 0 else "hurts"

"""What a difference between two arms is worth, with all that varies in its interval: products, draws of the
photographs, seeds, and test images.

Arms are paired: what one draw of products, runs and test images does to an arm it does to the others too. A sample of
few products or runs spreads less than what it was drawn from, so deviations are widened by √(n / (n − 1)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.05  # of error that is accepted: intervals are of 95 %
POWER = 1.96 + 0.84  # standard errors of a difference that is seen four times in five


@dataclass(frozen=True)
class Scores:
    """One arm's mAP50-95 (or another share) on one product, of each of its runs: a seed, or a draw of photographs."""

    runs: np.ndarray  # (runs,)
    draws: (
        np.ndarray
    )  # (runs, times): of each over images drawn with replacement; draw k has the same images in all arms

    @property
    def value(self) -> float:
        return float(self.runs.mean())


Arm = Sequence[Scores]  # one for each product, in the same order as its opponent's


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


def value(arm: Arm) -> float:
    """Return the mean over products of the mean over runs."""
    return float(np.mean([scores.value for scores in arm]))


def resampled(arm: Arm, times: int, seed: int) -> np.ndarray:
    """Return an arm's value over products, runs and images drawn with replacement, so many times.

    The same seed draws the same for every arm of as many products, runs and test images.
    """
    rng = np.random.default_rng(seed)
    apart = np.stack([_deviations(scores, times, rng) for scores in arm])
    if len(arm) == 1:
        return arm[0].value + apart[0]
    picked = rng.integers(len(arm), size=(len(arm), times))
    means = np.array([scores.value for scores in arm])
    between = np.sqrt(len(arm) / (len(arm) - 1)) * (means[picked].mean(0) - means.mean())
    return means.mean() + between + np.take_along_axis(apart, picked, 0).mean(0)


def _deviations(scores: Scores, times: int, rng: np.random.Generator) -> np.ndarray:
    """Return how far one product's mean lies off, when its runs and test images are drawn anew."""
    count = len(scores.runs)
    images = scores.draws[:, rng.integers(scores.draws.shape[1], size=times)].mean(0) - scores.draws.mean()
    if count == 1:
        return images
    picked = rng.integers(count, size=(count, times))
    return images + np.sqrt(count / (count - 1)) * (scores.runs[picked].mean(0) - scores.value)


def interval(draws: np.ndarray) -> tuple[float, float]:
    """Return the middle 95 % of some draws."""
    low, high = np.percentile(draws, (100 * LEVEL / 2, 100 * (1 - LEVEL / 2)))
    return float(low), float(high)


def estimate(arm: Arm, times: int, seed: int) -> Interval:
    """Return an arm's value with its interval."""
    return Interval(value(arm), *interval(resampled(arm, times, seed)))


def difference(a: Arm, b: Arm, times: int, seed: int, spread: float | None) -> Difference:
    """Return how much better `a` is than `b`.

    Where there is a single run of each, nothing here says how much another seed would change; `spread`, the standard
    deviation of such a difference, is known from longer comparisons. Without it nothing is certain.
    """
    gain = value(a) - value(b)
    apart = resampled(a, times, seed) - resampled(b, times, seed)
    if len(a) == len(a[0].runs) == len(b[0].runs) == 1 and a is not b:
        if spread is None:
            return Difference(gain, -1.0, 1.0, 1.0, 1.0)
        apart = apart + np.random.default_rng(seed + 1).normal(0, spread, times)
    low, high = interval(apart)
    tail = min((apart <= 0).sum(), (apart >= 0).sum())
    return Difference(gain, low, high, float(min(1.0, 2 * (tail + 1) / (times + 1))), POWER * float(apart.std()))


def closed(arm: Arm, start: Arm, end: Arm, times: int, seed: int, spread: float | None) -> Interval | None:
    """Return how much of the way from `start` to `end` an arm has gone; None where there may be none."""
    if difference(end, start, times, seed, spread).low <= 0:
        return None
    one, of, to = (resampled(a, times, seed) for a in (arm, start, end))
    there = to - of
    low, high = interval((one - of)[there > 0] / there[there > 0])
    return Interval((value(arm) - value(start)) / (value(end) - value(start)), low, high)


def spread(a: Arm, b: Arm) -> float | None:
    """Return the standard deviation of the difference between single runs of two arms; None: there are no two runs."""
    apart = [x.runs - y.runs for x, y in zip(a, b, strict=True) if len(x.runs) == len(y.runs) > 1]
    freedom = sum(len(one) - 1 for one in apart)
    return float(np.sqrt(sum(((one - one.mean()) ** 2).sum() for one in apart) / freedom)) if freedom else None


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

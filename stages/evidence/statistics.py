"""What a difference between two arms is worth: paired over test images and seeds, with an interval and a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.05  # of error that is accepted: intervals are of 95 %


@dataclass(frozen=True)
class Difference:
    """Of mAP50-95 between two arms."""

    value: float
    low: float
    high: float
    p: float  # two-sided


@dataclass(frozen=True)
class Scores:
    """One arm's mAP50-95: of each seed, and of each seed over images drawn with replacement."""

    seeds: np.ndarray  # (seeds,)
    draws: np.ndarray  # (seeds, resamplings); draw r has the same images in every arm

    @property
    def value(self) -> float:
        return float(self.seeds.mean())


def resampled(scores: Scores, seed: int) -> np.ndarray:
    """(resamplings,) over images and seeds. Arms of as many seeds are paired: draw r has the same seeds in each."""
    count, times = scores.draws.shape
    picked = np.random.default_rng(seed).integers(count, size=(count, times))
    return np.take_along_axis(scores.draws, picked, 0).mean(0)


def interval(draws: np.ndarray) -> tuple[float, float]:
    low, high = np.percentile(draws, (100 * LEVEL / 2, 100 * (1 - LEVEL / 2)))
    return float(low), float(high)


def difference(a: Scores, b: Scores, seed: int) -> Difference:
    """Return how much better `a` is than `b`, with its interval."""
    apart = resampled(a, seed) - resampled(b, seed)
    low, high = interval(apart)
    tail = min((apart <= 0).sum(), (apart >= 0).sum())
    return Difference(a.value - b.value, low, high, float(min(1.0, 2 * (tail + 1) / (len(apart) + 1))))


def recovered(arm: Scores, few: Scores, all_: Scores, seed: int) -> float | None:
    """The share of the way from `few` to `all_`; None where it is not certain that there is a way."""
    way = difference(all_, few, seed)
    return None if way.low <= 0 else (arm.value - few.value) / way.value


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's correction: p values that may be compared with the level although there are several."""
    adjusted, highest = [0.0] * len(ps), 0.0
    for rank, k in enumerate(np.argsort(ps, kind="stable")):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[k]))
        adjusted[k] = highest
    return adjusted


def word(of: Difference, p: float) -> str:
    """`p`: the difference's own, or corrected where it is one of several."""
    if p >= LEVEL or of.low <= 0 <= of.high:
        return "inconclusive"
    return "helps" if of.value > 0 else "hurts"

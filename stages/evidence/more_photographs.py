"""What more annotated photographs are expected to bring, read from the study's curve over their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stages import files, paths
from stages.evidence.statistics import Interval


@dataclass(frozen=True)
class Step:
    """By how much detectors of `more` photographs are better than those of `fewer`, on the same products and draws."""

    fewer: int
    more: int
    gain: Interval  # of mAP50-95


@dataclass(frozen=True)
class Curve:
    """What photographs without fakes teach, step by step, on some products."""

    steps: Sequence[Step]
    products: Sequence[str]
    chance: float | None  # standard deviation of the difference between two trainings of the same kind; None: not known

    def gain(self, learnt: int, more: int) -> Interval | None:
        """Return what so many more photographs bring a detector that has learnt so many; None where that goes beyond
        the curve's ends.

        Between two numbers a gain is spread along the logarithm. The ends of several steps' intervals are added up, as
        if all erred to the same side: rather too wide than too narrow.
        """
        if not self.steps or not self.steps[0].fewer <= learnt < learnt + more <= self.steps[-1].more:
            return None
        total = np.zeros(3)
        for step in self.steps:
            first, last = max(step.fewer, learnt), min(step.more, learnt + more)
            if first < last:
                share = np.log(last / first) / np.log(step.more / step.fewer)
                total += share * np.array([step.gain.value, step.gain.low, step.gain.high])
        return Interval(*total.tolist())

    def enough(self, more: int) -> int | None:
        """Return the number of photographs from which on so many more bring less than what two trainings differ by;
        None, if the curve does not say."""
        if self.chance is None or not self.steps:
            return None
        for learnt in range(self.steps[0].fewer, self.steps[-1].more):
            gain = self.gain(learnt, more)
            if gain and gain.value < self.chance:
                return learnt
        return None


def read() -> Curve | None:
    """Return the curve of the study that is kept in git; None where there is none."""
    if not paths.STUDY.exists():
        return None
    found = files.read_json(paths.STUDY)
    steps = [
        Step(of["fewer"], of["more"], Interval(*(of["gain"][key] for key in ("value", "low", "high"))))
        for of in found.get("steps", ())
    ]
    return Curve(steps, list(found["conditions"]["products"]), found.get("spread", {}).get("map50_95", {}).get("value"))

"""What more annotated photographs are expected to bring, read from the study's curve over their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from stages import files, paths
from stages.evidence import study_runs
from stages.evidence.arm_roles import roles
from stages.evidence.statistics import Interval
from stages.evidence.study_answer import Answer
from stages.settings import Settings


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


def read(params: Settings) -> Curve | None:
    """Return the curve of the study that is kept in git; None where there is none."""
    if not paths.STUDY.exists():
        return None
    conditions = files.read_json(paths.STUDY)["conditions"]
    every = {product: of["photographs"] for product, of in conditions["products"].items()}
    return of({p: list(study_runs.read(p, conditions["scale"]).values()) for p in every}, every, params)


def of(rows: dict[str, list[study_runs.Row]], every: dict[str, int], params: Settings) -> Curve | None:
    """Return the curve of a study's rows; `every`: how many photographs each product has to train on."""
    base = roles(params.arms, params).baseline
    if base is None:
        return None
    study = Answer(rows, every, params)
    counts, steps = study.counts(base), []
    for fewer, more in pairwise(counts):
        gain = study.difference((base, "random", more), (base, "random", fewer))
        if fewer and gain:
            steps.append(Step(fewer, more or min(every.values()), Interval(gain["value"], gain["low"], gain["high"])))
    return Curve(steps, list(rows), study.by.spread and study.by.spread.value)

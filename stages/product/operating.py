"""From which confidence on detections count, and how certain a confidence is: chosen on photographs that the detector
has not learnt from, and that are not for testing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import minimize

from stages.detector import metrics
from stages.detector.scenes import DetectedScene
from stages.evidence import arm_metrics, statistics
from stages.judge import colours
from stages.product.card import Calibration, Measured, Rates, Threshold

FEWEST = 20  # detections: nineteen of so many are 95 %
RECALL = 0.95  # of the objects; the precision is arm_metrics'
DRAWS = 1000  # of the photographs, for intervals
LEAST = 0.05  # confidence below which detections say nothing of those that anybody would look at
PRIOR = 1.0  # how strongly few detections leave the detector's own word as it is

Scenes = Sequence[DetectedScene]


def precise(scenes: Scenes, classes: int) -> float | None:
    """Return the lowest confidence from which on 95 of 100 detections are right; None, if there is none, or if the
    detections from there on are too few to say so."""
    confidence, _ = arm_metrics.graded(scenes, classes)
    kept = arm_metrics.precise_until(scenes, classes)
    return float(confidence[kept - 1]) if kept >= FEWEST else None


def complete(scenes: Scenes, classes: int) -> float | None:
    """Return the highest confidence from which on 95 of 100 objects are found; None, if there is none."""
    confidence, right = arm_metrics.graded(scenes, classes)
    enough = np.flatnonzero(np.cumsum(right) >= RECALL * max(1, arm_metrics.objects(scenes)))
    return float(confidence[enough[0]]) if len(enough) else None


def threshold(
    choose: Callable[[Scenes, int], float | None], chosen: Scenes, tested: Scenes, classes: int, seed: int
) -> Threshold | None:
    """Return a threshold chosen on some photographs, and what it gives there and on test images, where there are."""
    point = choose(chosen, classes)
    if point is None:
        return None
    point = math.floor(point * 1e4) / 1e4  # as it is written down: what was in stays in
    return Threshold(
        point, rates(chosen, classes, point, seed), rates(tested, classes, point, seed) if tested else None
    )


def rates(scenes: Scenes, classes: int, confidence: float, seed: int) -> Rates:
    """Return how many detections from a confidence on are right, and how many objects they find."""
    each = np.array([_counts(scene, classes, confidence) for scene in scenes], float)
    times = np.stack(list(metrics.image_draws(len(scenes), DRAWS, seed)))
    return Rates(_share(each[:, 0], each[:, 1], times), _share(each[:, 0], each[:, 2], times))


def _counts(scene: DetectedScene, classes: int, least: float) -> tuple[int, int, int]:
    """Return how many detections are right, how many there are, and how many objects."""
    confidence, right = arm_metrics.graded([scene], classes)
    return int(right[confidence >= least].sum()), int((confidence >= least).sum()), arm_metrics.objects([scene])


def _share(part: np.ndarray, whole: np.ndarray, times: np.ndarray) -> Measured:
    """Return a share with the wider of two intervals: over photographs, and of as many independent things; where all of
    few are right, the first has no width."""
    low, high = colours.interval(int(part.sum()), int(whole.sum()))
    there = times @ whole > 0
    if there.any():
        least, most = statistics.interval((times @ part)[there] / (times @ whole)[there])
        low, high = min(low, least), max(high, most)
    return Measured(float(part.sum() / max(1, whole.sum())), low, high)


def calibration(scenes: Scenes, classes: int) -> Calibration:
    """Return by which scale and offset of its log-odds a confidence says best how often it is right.

    Where few detections are known, or all are right, a prior keeps both near the detector's own word.
    """
    confidence, right = arm_metrics.graded(scenes, classes)
    right, confidence = right[confidence >= LEAST], confidence[confidence >= LEAST]

    def wrong(of: np.ndarray) -> float:
        p = np.clip(Calibration(*of).certainty(confidence), 1e-9, 1 - 1e-9)
        return float(-np.log(np.where(right, p, 1 - p)).sum() + PRIOR * ((of[0] - 1) ** 2 + of[1] ** 2) / 2)

    scale, offset = minimize(wrong, (1.0, 0.0), method="L-BFGS-B", bounds=[(0.05, 20), (-10, 10)]).x
    return Calibration(round(float(scale), 4), round(float(offset), 4))


def reliability(scenes: Scenes, classes: int, by: Calibration) -> list[tuple[float, float, int]]:
    """Return, for parts of the detections from the least certain to the most, mean certainty, share that is right, and
    how many they are."""
    confidence, right = arm_metrics.graded(scenes, classes)
    shown = confidence >= LEAST
    return arm_metrics.reliability(by.certainty(confidence[shown]), right[shown])


def miscalibration(scenes: Scenes, classes: int, by: Calibration) -> float:
    """Return by how much certainty differs from the share that is right, on average over detections."""
    parts = reliability(scenes, classes, by)
    return sum(abs(p - r) * n for p, r, n in parts) / max(1, sum(n for _, _, n in parts))

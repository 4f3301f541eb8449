"""What is measured of every arm beside its mAP50-95. An entry here is in evidence.json, the comparisons and the report.

Each function takes what one detector saw in the test images, the number of classes, and when a detection counts; an
arm's figure is the mean over its seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from stages.detector import metrics
from stages.detector.scenes import DetectedScene
from stages.settings import Testing

Metric = Callable[[Sequence[DetectedScene], int, Testing], float]


def map50(scenes: Sequence[DetectedScene], classes: int, testing: Testing) -> float:
    """Return COCO's average precision at half overlap, averaged over classes."""
    return metrics.coco_map(scenes, classes)[0]


def found(scenes: Sequence[DetectedScene], classes: int, testing: Testing) -> float:
    """Return the share of all objects that are found."""
    counts = [metrics.found(scene, testing.confidence, testing.iou) for scene in scenes]
    return sum(hits for hits, _, _ in counts) / max(1, sum(present for _, present, _ in counts))


METRICS: dict[str, Metric] = {"map50": map50, "found": found}


def measured(of_seeds: Sequence[Sequence[DetectedScene]], classes: int, testing: Testing) -> dict[str, float]:
    """Return every metric of an arm, by name."""
    return {
        name: float(np.mean([metric(scenes, classes, testing) for scenes in of_seeds]))
        for name, metric in METRICS.items()
    }

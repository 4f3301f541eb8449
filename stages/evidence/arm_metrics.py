"""What is measured of every arm beside its mAP50-95. An entry here is in evidence.json, the comparisons and the report.

Each function takes what one detector saw in the test images, the number of classes, and when a detection counts; an
arm's figure is the mean over its runs. These are secondary, and never what an arm is chosen by, save `found`, which is
half of what the gate calls a score.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from stages.boxes import overlaps
from stages.detector import metrics
from stages.detector.scenes import DetectedScene
from stages.evidence import errors
from stages.settings import Testing

Scenes = Sequence[DetectedScene]
Metric = Callable[[Scenes, int, Testing], float | None]  # None: there is nothing to measure

MANY = 4  # objects of an image that is full
BINS, LEAST_IN_BIN = 10, 30  # parts of detections of like confidence, at most, and what is in one, at least
PRECISION = 0.95  # at which a station would pick


def map50(scenes: Scenes, classes: int, testing: Testing) -> float:
    """Return COCO's average precision at half overlap, averaged over classes."""
    return metrics.coco_map(scenes, classes)[0]


def map75(scenes: Scenes, classes: int, testing: Testing) -> float:
    """Return COCO's average precision at three quarters of overlap: how well boxes fit."""
    return metrics.coco_map(scenes, classes)[2]


def map_any_class(scenes: Scenes, classes: int, testing: Testing) -> float:
    """Return mAP50-95 where any class counts as the right one: whether objects are found at all."""
    return metrics.coco_map([_one_class(scene) for scene in scenes], 1)[1]


def found(scenes: Scenes, classes: int, testing: Testing) -> float:
    """Return the share of all objects that are found, at the confidence that a station works with."""
    counts = [metrics.found(scene, testing.confidence, testing.iou) for scene in scenes]
    return sum(hits for hits, _, _ in counts) / max(1, sum(present for _, present, _ in counts))


def doubles(scenes: Scenes, classes: int, testing: Testing) -> float:
    """Return how many objects are reported twice, as a share of all."""
    return errors.kinds(scenes, testing.confidence, testing.iou)["double"] / max(1, objects(scenes))


def map_touching(scenes: Scenes, classes: int, testing: Testing) -> float | None:
    """Return mAP50-95 on objects whose box overlaps another's: these hide each other, or nearly."""
    return _map([_only(scene, _touching(scene)) for scene in scenes], classes)


def map_alone(scenes: Scenes, classes: int, testing: Testing) -> float | None:
    """Return mAP50-95 on objects whose box overlaps no other's."""
    return _map([_only(scene, ~_touching(scene)) for scene in scenes], classes)


def map_few(scenes: Scenes, classes: int, testing: Testing) -> float | None:
    """Return mAP50-95 in images of at most three objects."""
    return _map([scene for scene in scenes if (~scene.crowd).sum() < MANY], classes)


def map_many(scenes: Scenes, classes: int, testing: Testing) -> float | None:
    """Return mAP50-95 in images of four objects and more."""
    return _map([scene for scene in scenes if (~scene.crowd).sum() >= MANY], classes)


def recall_at_precision(scenes: Scenes, classes: int, testing: Testing) -> float:
    """Return the largest share of objects that is found while 95 of 100 detections are right."""
    _, right = graded(scenes, classes)
    return float(right[: precise_until(scenes, classes)].sum() / max(1, objects(scenes)))


def precise_until(scenes: Scenes, classes: int) -> int:
    """Return how many detections, the most confident ones, can count while 95 of 100 are right."""
    confidence, right = graded(scenes, classes)
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    whole = np.append(np.diff(confidence) < 0, True)[: len(right)]  # equally confident ones count together
    kept = np.flatnonzero((precision >= PRECISION) & whole)
    return int(kept[-1]) + 1 if len(kept) else 0


def miscalibration(scenes: Scenes, classes: int, testing: Testing) -> float | None:
    """Return by how much certainty differs from the share of detections that are right, over equal parts of all
    detections that count."""
    confidence, right = graded(scenes, classes)
    counts = confidence >= testing.confidence
    parts = reliability(confidence[counts], right[counts])
    return sum(abs(c - r) * n for c, r, n in parts) / int(counts.sum()) if parts else None


def reliability(certain: np.ndarray, right: np.ndarray) -> list[tuple[float, float, int]]:
    """Return, for equal parts of the detections from the least certain to the most, mean certainty, share that is
    right, and how many they are. Few make few parts: in a small one chance alone is far from what is certain."""
    order = np.argsort(certain, kind="stable")
    parts = np.array_split(order, max(1, min(BINS, len(order) // LEAST_IN_BIN)))
    return [(float(certain[k].mean()), float(right[k].mean()), len(k)) for k in parts if len(k)]


METRICS: dict[str, Metric] = {
    "map50": map50, "map75": map75, "found": found, "doubles": doubles, "recall_at_precision": recall_at_precision,
    "miscalibration": miscalibration, "map_touching": map_touching, "map_alone": map_alone, "map_few": map_few,
    "map_many": map_many, "map_any_class": map_any_class,
}  # fmt: skip


def measured(of_runs: Sequence[Scenes], classes: int, testing: Testing) -> dict[str, float]:
    """Return every metric of an arm, by name; one that there is nothing to measure for is left out."""
    found = {name: [metric(scenes, classes, testing) for scenes in of_runs] for name, metric in METRICS.items()}
    return {name: float(np.mean([v or 0.0 for v in of])) for name, of in found.items() if None not in of}


def _map(scenes: Scenes, classes: int) -> float | None:
    return metrics.coco_map(scenes, classes)[1] if objects(scenes) else None


def objects(scenes: Scenes) -> int:
    """Return how many objects there are."""
    return sum(int((~scene.crowd).sum()) for scene in scenes)


def _one_class(scene: DetectedScene) -> DetectedScene:
    detections = scene.detections.copy()
    detections[:, 5] = 0
    return replace(scene, classes=np.zeros_like(scene.classes), detections=detections)


def _only(scene: DetectedScene, of: np.ndarray) -> DetectedScene:
    """Return the scene in which other objects count neither as found nor as missed."""
    return replace(scene, crowd=scene.crowd | ~of)


def _touching(scene: DetectedScene) -> np.ndarray:
    overlap = overlaps(scene.boxes, scene.boxes)
    np.fill_diagonal(overlap, 0)
    return np.array([of.any() for of in overlap], bool)


def graded(scenes: Scenes, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all detections' confidence, most confident first, and whether each is of an object, at half overlap."""
    if not scenes:
        return np.zeros(0), np.zeros(0, bool)
    matches = metrics.match(scenes, classes)
    confidence = np.concatenate([m.score[~m.ignored[0]] for m in matches])
    right = np.concatenate([m.hit[0][~m.ignored[0]] for m in matches])
    order = np.argsort(-confidence, kind="stable")
    return confidence[order], right[order]

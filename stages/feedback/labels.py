"""Labels for pictures whose objects nobody placed: what two detectors see in enough mirrored views, or none at all.

A detector's training has no word for "perhaps an object": what is not labelled counts as background. So a picture in
which only one of the two sees an object in enough views is not labelled; it is rejected.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from stages.boxes import mirrored, overlaps
from stages.detector import predict
from stages.judge import quality
from stages.settings import Feedback

VIEWS = ((False, False), (True, False), (False, True), (True, True))  # mirrored across, down


@dataclass(frozen=True)
class LabelledObjects:
    """The objects of a picture: boxes as shares of it (x, y, width, height), class numbers, confidence."""

    boxes: np.ndarray  # (k, 4)
    classes: np.ndarray  # (k,)
    confidence: np.ndarray  # (k,)


def label(pixels: np.ndarray, detectors: list[Path], imgsz: int, rule: Feedback) -> list[LabelledObjects | str]:
    """Return each picture's objects (n, size, size, 3; uint8), or why it has to be rejected."""
    seen = [read(pixels, weights, imgsz, rule) for weights in detectors]
    return [agreed(list(of), rule) for of in zip(*seen, strict=True)]


def read(pixels: np.ndarray, weights: Path, imgsz: int, rule: Feedback) -> list[LabelledObjects]:
    """Return the objects that one detector sees in enough views of each picture. A place that it is surer to show a
    ghost or a part shows none."""
    views, faults = [], quality.fault_numbers(weights)
    for across, down in VIEWS:
        turned = pixels[:, :: -1 if down else 1, :: -1 if across else 1]
        said = predict.predict(weights, turned, imgsz)
        sure = [objects(found[found[:, 4] >= rule.confidence], faults) for found in said]
        views.append([LabelledObjects(mirrored(s[:, :4], across, down), s[:, 5].astype(int), s[:, 4]) for s in sure])
    return [merged([view[k] for view in views], rule) for k in range(len(pixels))]


def objects(readings: np.ndarray, faults: list[int]) -> np.ndarray:
    """Return the readings (k, 6) that are of objects, and not, in one place, of a fault that is surer."""
    sure = quality.surest(readings) if np.isin(readings[:, 5], faults).any() else readings
    return sure[~np.isin(sure[:, 5], faults)]


def merged(views: list[LabelledObjects], rule: Feedback) -> LabelledObjects:
    """Return one reading made of several views': each object where it was seen on average, if enough views show it."""
    kept = [of for of in readings(views, rule.iou) if len(of.boxes) >= rule.readings * len(views)]
    return LabelledObjects(
        np.array([np.average(of.boxes, axis=0, weights=of.confidence) for of in kept]).reshape(-1, 4),
        np.array([of.classes[0] for of in kept], int), np.array([of.confidence.mean() for of in kept]),
    )  # fmt: skip


def readings(views: list[LabelledObjects], iou: float) -> list[LabelledObjects]:
    """Return, for each object that any view shows, its readings, at most one of each view.

    The surest reading gathers those of other views that overlap it.
    """
    boxes, classes, confidence = (
        np.concatenate([getattr(v, name) for v in views]) for name in ("boxes", "classes", "confidence")
    )
    view = np.repeat(np.arange(len(views)), [len(v.boxes) for v in views])
    left, found = np.ones(len(boxes), bool), []
    for k in np.argsort(-confidence, kind="stable"):
        near = left & (classes == classes[k]) & (overlaps(boxes[[k]], boxes)[0] >= iou)
        if not near[k]:  # it is gathered already, or without any area, which overlaps nothing
            continue
        gathered = [np.flatnonzero(near & (view == v)) for v in range(len(views))]
        of = np.array([mine[np.argmax(confidence[mine])] for mine in gathered if len(mine)])
        left[near] = False
        found.append(LabelledObjects(boxes[of], classes[of], confidence[of]))
    return found


def agreed(seen: list[LabelledObjects], rule: Feedback) -> LabelledObjects | str:
    """Return what both detectors see, in between their two boxes; a reason, if one of them sees more than the other."""
    one, two = seen
    overlap = overlaps(one.boxes, two.boxes) * (one.classes[:, None] == two.classes[None, :])
    rows, columns = linear_sum_assignment(-overlap)
    both = overlap[rows, columns] >= rule.iou
    alone = len(one.boxes) + len(two.boxes) - 2 * int(both.sum())
    if alone:
        return "an object that one detector alone sees"
    if not both.any():
        return "no object"
    rows, columns = rows[both], columns[both]
    return LabelledObjects(
        (one.boxes[rows] + two.boxes[columns]) / 2, one.classes[rows],
        (one.confidence[rows] + two.confidence[columns]) / 2,
    )  # fmt: skip


def matched(found: LabelledObjects, boxes: np.ndarray, classes: np.ndarray, iou: float) -> int:
    """Return how many labels lie, one to one, on a true object of their class."""
    overlap = overlaps(found.boxes, boxes) * (found.classes[:, None] == classes[None, :])
    overlap[overlap < iou] = 0
    rows, columns = linear_sum_assignment(-overlap)
    return int((overlap[rows, columns] > 0).sum())

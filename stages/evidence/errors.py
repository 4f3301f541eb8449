"""What kind of errors a detector makes, named as TIDE names them (Bolya et al. 2020)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from stages.boxes import overlaps
from stages.detector.scenes import DetectedScene

KINDS = ("class", "place", "both", "double", "background", "missed")
SOME = 0.1  # overlap below which a detection has nothing to do with an object


def kinds(scenes: Sequence[DetectedScene], confidence: float, iou: float) -> dict[str, int]:
    """Return how many errors of each kind the detections have that are at least so confident."""
    found: Counter[str] = Counter()
    for scene in scenes:
        found += _of(scene, confidence, iou)
    return {kind: found[kind] for kind in KINDS}


def _of(scene: DetectedScene, confidence: float, iou: float) -> Counter[str]:
    kept = scene.detections[scene.detections[:, 4] >= confidence]
    kept = kept[np.argsort(-kept[:, 4], kind="stable")]
    overlap = overlaps(kept[:, :4], scene.boxes, scene.crowd)
    same = kept[:, 5][:, None] == scene.classes[None, :]
    taken, touched, errors = scene.crowd.copy(), scene.crowd.copy(), Counter()
    for k in range(len(kept)):
        own, other = np.where(same[k], overlap[k], 0), np.where(same[k], 0, overlap[k])
        free = np.where(taken, 0, own)
        if free.max(initial=0) >= iou:
            taken[free.argmax()] = True
            continue
        if own[scene.crowd].max(initial=0) >= iou:
            continue
        if own.max(initial=0) >= iou:
            errors["double"] += 1
        elif own.max(initial=0) >= SOME:
            errors["place"] += 1
            touched[own.argmax()] = True
        elif other.max(initial=0) >= SOME:
            errors["class" if other.max() >= iou else "both"] += 1
            touched[other.argmax()] = True
        else:
            errors["background"] += 1
    errors["missed"] = int((~taken & ~touched).sum())
    return errors

"""How good the objects of a picture are: found with confidence, whole, and nothing half-drawn beside them.

An object that another one may hide is neither partial nor doubtful for being seen in part: only objects that stand
free are asked for their size and their confidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.detector import ask
from stages.judge import background
from stages.judge.reference import Reference

GHOST = "ghost"  # the class of what is half drawn, which the judge's detector learns beside the objects'
APART = 0.01  # of the side: objects nearer than this may hide each other


@dataclass(frozen=True)
class Seen:
    """The detector's objects in one picture; boxes as shares of it."""

    boxes: np.ndarray  # (k, 4)
    classes: np.ndarray  # (k,)
    confidence: np.ndarray  # (k,)
    trace: float  # confidence of the surest ghost


@dataclass(frozen=True)
class Quality:
    objects: int
    free: int  # … that stand free
    partial: int  # free ones that are smaller than whole objects are
    faint: int  # ones that stand out less than real objects do
    least: float | None  # confidence of the most doubtful free and whole one
    mean: float | None  # confidence of all
    trace: float  # confidence of the surest ghost
    ghost: float


def look(weights: Path, pixels: np.ndarray, imgsz: int, confidence: float) -> list[Seen]:
    """What the detector sees in pictures (n, size, size, 3; uint8): objects at least so sure, and traces of ghosts."""
    ghost = ask.names(weights).index(GHOST)
    found = []
    for boxes in ask.predict(weights, pixels, imgsz):
        ghosts, objects = boxes[boxes[:, 5] == ghost], boxes[boxes[:, 5] != ghost]
        sure = objects[objects[:, 4] >= confidence]
        found.append(Seen(sure[:, :4], sure[:, 5].astype(int), sure[:, 4], float(ghosts[:, 4].max(initial=0))))
    return found


def assess(
    seen: Seen, pixels: np.ndarray, own: Reference, empty: np.ndarray, whole: dict[int, float], strong: dict[int, float]
) -> Quality:
    """`whole` and `strong`: of each class the least diagonal of whole objects, and how little real ones stand out.

    An object of a class that neither knows is taken as it is.
    """
    free = standing_free(seen.boxes)
    partial = free & _under(diagonals(seen.boxes, own.frame), seen.classes, whole)
    faint = _under(background.strengths(pixels, seen.boxes, empty), seen.classes, strong)
    judged = seen.confidence[free & ~partial]
    return Quality(
        len(seen.boxes), int(free.sum()), int(partial.sum()), int(faint.sum()),
        float(judged.min()) if len(judged) else None,
        float(seen.confidence.mean()) if len(seen.boxes) else None,
        seen.trace, background.ghost(pixels, seen.boxes, own),
    )  # fmt: skip


def _under(values: np.ndarray, classes: np.ndarray, least: dict[int, float]) -> np.ndarray:
    return np.array([value < least.get(int(c), 0) for value, c in zip(values, classes, strict=True)], bool)


def standing_free(boxes: np.ndarray) -> np.ndarray:
    """Which boxes come near no other one and not to the picture's edge."""
    inside = (boxes[:, :2] > APART).all(1) & (boxes[:, :2] + boxes[:, 2:4] < 1 - APART).all(1)
    return (_near(boxes, boxes).sum(1) == 1) & inside


def _near(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Which boxes of `a` come near which of `b`."""
    low, high = (
        np.maximum(a[:, None, :2], b[None, :, :2]),
        np.minimum((a[:, :2] + a[:, 2:4])[:, None], (b[:, :2] + b[:, 2:4])[None]),
    )
    return (low < high + APART).all(-1)


def diagonals(boxes: np.ndarray, frame: tuple[int, int]) -> np.ndarray:
    """Of boxes in their true shape, as shares of the frame's width: a lying object keeps its own, however it turns."""
    return np.hypot(boxes[:, 2], boxes[:, 3] * frame[1] / frame[0])


def of_class(reference: Reference, values: list[np.ndarray], free: bool) -> dict[int, list[float]]:
    """A value of every object, or of every free one, by class."""
    found: dict[int, list[float]] = {}
    for boxes, classes, of in zip(reference.boxes, reference.classes, values, strict=True):
        for k in np.flatnonzero(standing_free(boxes)) if free else range(len(boxes)):
            found.setdefault(int(classes[k]), []).append(float(of[k]))
    return found

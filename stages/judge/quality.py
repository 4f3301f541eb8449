"""How good the objects of a picture are: found with confidence, whole, and nothing half drawn beside them.

An object that another one may hide is not doubtful for being seen in part: only objects that stand free are asked for
their confidence.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from stages.boxes import overlaps
from stages.detector import predict
from stages.judge import salience
from stages.judge.object_faults import FAULTS, standing_free

SAME = 0.5  # overlap at which two detections are readings of one thing
FAINTEST = 0.05  # confidence of what is looked at at all
WHOLE, GHOSTLY, PARTIAL = range(3)  # what a thing may be taken for; the last two in the order of FAULTS


@dataclass(frozen=True)
class Things:
    """All that a detector sees in a picture, however faintly, each with all that it may be."""

    boxes: np.ndarray  # (n, 4) shares of the picture, of the surest reading
    classes: np.ndarray  # (n,) of the surest reading that takes it for an object; -1 where none does
    certainties: np.ndarray  # (n, 3) that it is whole, a ghost, a part


NOTHING = Things(np.empty((0, 4)), np.empty(0, int), np.empty((0, 3)))


@dataclass(frozen=True)
class Seen:
    """What the detector finds in one picture; boxes are shares of it."""

    boxes: np.ndarray  # (k, 4) of objects, found surely enough
    classes: np.ndarray  # (k,)
    confidence: np.ndarray  # (k,)
    faults: np.ndarray  # (j, 6) of ghosts and parts: box, confidence, place in FAULTS
    faint: np.ndarray = field(default_factory=lambda: np.empty((0, 4)))  # boxes of what was seen, but not surely enough
    things: Things = NOTHING

    @property
    def mean(self) -> float | None:
        """Return the confidence of all objects, on average."""
        return float(self.confidence.mean()) if len(self.confidence) else None

    @property
    def least(self) -> float | None:
        """Return the confidence of the most doubtful object that stands free; None where none does."""
        free = standing_free(self.boxes)
        return float(self.confidence[free].min()) if free.any() else None

    @property
    def fault(self) -> float:
        """Return the confidence of the surest ghost or part; 0 where there is none."""
        return float(self.faults[:, 4].max(initial=0))


@dataclass(frozen=True)
class Quality:
    """What a picture shows: whole objects, ghosts, and parts."""

    whole: Seen
    ghosts: int
    parts: int


def look(weights: Path, pixels: np.ndarray, imgsz: int, confidence: float, fault: float = FAINTEST) -> list[Seen]:
    """Return what the detector sees in pictures (n, size, size, 3; uint8): objects that are at least so sure, and
    faults as sure as `fault`."""
    numbers = fault_numbers(weights)
    return [sorted_out(boxes, numbers, confidence, fault) for boxes in predict.predict(weights, pixels, imgsz)]


def look_closely(
    weights: Path, pixels: np.ndarray, imgsz: int, confidence: float, fault: float = FAINTEST
) -> tuple[list[Seen], np.ndarray]:
    """Return the same, and the pictures' features (n, d), by one look at each."""
    numbers, found, features = fault_numbers(weights), [], []
    for boxes, feature in predict.closely(weights, pixels, imgsz):
        found.append(sorted_out(boxes, numbers, confidence, fault))
        features.append(feature)
    return found, np.stack(features)


def fault_numbers(weights: Path) -> list[int]:
    """Return the class numbers that a detector has for faults; -1, where it knows none: only a judge's does."""
    names = predict.names(weights)
    return [names.index(name) if name in names else -1 for name in FAULTS]


def sorted_out(boxes: np.ndarray, numbers: list[int], confidence: float, fault: float) -> Seen:
    """Return a detector's answer as objects and faults. Of several readings of one place, whatever they take it for,
    the surest counts."""
    is_fault = np.isin(boxes[:, 5], numbers)
    counts = boxes[:, 4] >= np.where(is_fault, fault, confidence)
    sure, faint = surest(boxes[counts]), boxes[~counts & (boxes[:, 4] >= FAINTEST), :4]
    objects = sure[~np.isin(sure[:, 5], numbers)]
    faults = [np.column_stack([of[:, :5], np.full(len(of), place)])
              for place, number in enumerate(numbers) for of in [sure[sure[:, 5] == number]]]  # fmt: skip
    classes = objects[:, 5].astype(int)
    return Seen(objects[:, :4], classes, objects[:, 4], np.concatenate(faults), faint, things(boxes, numbers))


def things(readings: np.ndarray, numbers: list[int]) -> Things:
    """Return what a detector's readings (k, 6) are of, each of its surest."""
    readings = readings[readings[:, 4] >= FAINTEST]
    kind = np.select([readings[:, 5] == number for number in numbers], [GHOSTLY, PARTIAL], WHOLE)
    boxes, classes, certainties = [], [], []
    for of in gathered(readings):
        objects = readings[of[kind[of] == WHOLE], 5]
        boxes.append(readings[of[0], :4])
        classes.append(int(objects[0]) if len(objects) else -1)
        certainties.append([readings[of[kind[of] == taken], 4].max(initial=0.0) for taken in range(3)])
    return Things(np.array(boxes).reshape(-1, 4), np.array(classes, int), np.array(certainties).reshape(-1, 3))


def measured(
    of: Things, strengths: np.ndarray, frame: tuple[int, int], strong: dict[int, float], long: dict[int, float]
) -> Things:
    """Return the same things, of which those that stand out less than real ones of their class (`strong`) are as surely
    ghosts as they were seen, and those that stand free and are shorter than real ones (`long`) as surely parts."""
    faint = strengths < [strong.get(int(number), 0.0) for number in of.classes]
    short = lengths(of.boxes, frame) < [long.get(int(number), 0.0) for number in of.classes]
    certainties = of.certainties.copy()
    for spoilt, taken in ((faint, GHOSTLY), (short & standing_free(of.boxes) & ~faint, PARTIAL)):
        certainties[spoilt, taken] = certainties[spoilt].max(1, initial=0.0)
        certainties[spoilt, WHOLE] = 0.0
    return replace(of, certainties=certainties)


def surest(readings: np.ndarray) -> np.ndarray:
    """Return the surest of several readings (k, 6) of one place."""
    return readings[sorted(of[0] for of in gathered(readings))]


def gathered(readings: np.ndarray) -> list[np.ndarray]:
    """Return the places of readings (k, 6) that are of one thing, thing by thing, the surest first: it gathers those
    that lie where it does."""
    same, left = overlaps(readings[:, :4], readings[:, :4]) >= SAME, np.argsort(-readings[:, 4], kind="stable")
    things = []
    while len(left):
        near = same[left[0], left]
        near[0] = True  # one without any area overlaps not even itself
        things.append(left[near])
        left = left[~near]
    return things


def assess(
    seen: Seen, pixels: np.ndarray, empty: np.ndarray, frame: tuple[int, int], strong: dict[int, float],
    long: dict[int, float],
) -> Quality:  # fmt: skip
    """Tell whole objects from others: what stands out from the empty bin less than real ones of its class (`strong`;
    one of a class that is not in there is taken as it is) is a ghost, too, and one that stands free and is shorter than
    real ones (`long`) a part."""
    solid = salience.strengths(pixels, seen.boxes, empty) >= [strong.get(int(number), 0.0) for number in seen.classes]
    short = lengths(seen.boxes, frame) < [long.get(int(number), 0.0) for number in seen.classes]
    short &= standing_free(seen.boxes) & solid
    good = solid & ~short
    whole = replace(seen, boxes=seen.boxes[good], classes=seen.classes[good], confidence=seen.confidence[good])
    ghosts, parts = ((seen.faults[:, 5] == place).sum() for place in range(len(FAULTS)))
    return Quality(whole, int(ghosts + (~solid).sum()), int(parts + short.sum()))


def lengths(boxes: np.ndarray, frame: tuple[int, int]) -> np.ndarray:
    """Return boxes' diagonals, as shares of the longer side of the frames that they lie in."""
    return np.hypot(*(boxes[:, 2:4] * frame / max(frame)).T)

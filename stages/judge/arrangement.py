"""Which objects lie where: what a picture has more, less or elsewhere than the training image it resembles most."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from stages.boxes import mirrored, overlaps

TOUCHING = 0.1  # overlap under which a box lies elsewhere


@dataclass(frozen=True)
class ArrangementChange:
    """How a picture's objects differ from those of one training image. `moved` ones are in both, of the same class, but
    elsewhere; `gone`: where there, once turned and moved like the picture, moved and missing ones lie."""

    place: int  # of the training image
    same: int
    moved: int
    missing: int
    extra: int
    gone: np.ndarray = field(default_factory=lambda: np.empty((0, 4)), compare=False)  # where those lay

    @property
    def changes(self) -> int:
        return self.moved + self.missing + self.extra

    def faintly_there(self, faint: np.ndarray, iou: float) -> bool:
        """Return whether nothing but objects that are missing tells the picture from the training image, and each of
        these is seen there after all, if not surely (`faint`: boxes)."""
        missed = not self.moved and not self.extra and self.missing
        return bool(missed and (overlaps(self.gone, faint) >= iou).any(1).all())

    def says(self) -> str:
        named = ("moved", self.moved), ("missing", self.missing), ("extra", self.extra)
        return ", ".join(f"{count} {name}" for name, count in named if count) or "no change"


def nearest(
    boxes: np.ndarray, classes: np.ndarray, known: list[tuple[np.ndarray, np.ndarray]], iou: float, shift: float
) -> ArrangementChange:
    """Return how boxes differ from those of the training image, of all known ones, with the fewest changes: as it is,
    mirrored or moved as a whole."""
    best, first = None, (np.inf, 0.0, 0)
    for place, (theirs, their_classes) in enumerate(known):
        tried = variants(boxes, theirs, shift)
        alike = (overlaps_of_all(boxes, tried) >= iou) & (classes[:, None] == their_classes)[None]
        most = np.minimum(alike.any(2).sum(1), alike.any(1).sum(1))  # that can be matched
        for k in np.argsort(-most, kind="stable"):
            if max(len(boxes), len(theirs)) - most[k] > first[0]:
                break  # there are at least so many changes
            one = difference(boxes, classes, tried[k], their_classes, iou, place)
            if best is None or (one.changes, -one.same, one.place) < first:
                best, first = one, (one.changes, -one.same, one.place)
    assert best is not None  # a judge without training images is none
    return best


def elsewhere(boxes: np.ndarray, known: list[tuple[np.ndarray, np.ndarray]], shift: float) -> int:
    """Return how many boxes at least lie where a training image shows no object: whichever image it is, as it is,
    mirrored or moved as a whole."""
    found = [(overlaps_of_all(boxes, variants(boxes, theirs, shift)) < TOUCHING).all(2).sum(1).min()
             for theirs, _ in known]  # fmt: skip
    return int(min(found, default=len(boxes)))


def variants(boxes: np.ndarray, theirs: np.ndarray, shift: float) -> np.ndarray:
    """Return a training image's boxes (v, m, 4) as they are, mirrored, and moved as a whole to where some meet."""
    ways = [(across, down) for across in (False, True) for down in (False, True)]
    turned = [mirrored(theirs, *way) for way in ways]
    return np.stack([one + offset for one in turned for offset in offsets(boxes, one, shift)])


def overlaps_of_all(boxes: np.ndarray, tried: np.ndarray) -> np.ndarray:
    """Return how much boxes (n, 4) overlap those of several arrangements (v, m, 4): (v, n, m)."""
    count, each = tried.shape[:2]
    return overlaps(boxes, tried.reshape(-1, 4)).reshape(len(boxes), count, each).transpose(1, 0, 2)


def offsets(boxes: np.ndarray, theirs: np.ndarray, shift: float) -> list[np.ndarray]:
    """Return ways to move all of a training image's boxes at once, up to a share of the side: none, or so that two
    boxes' middles meet.

    A single object that lies elsewhere has not been moved along with a picture: it is another arrangement.
    """
    if len(theirs) < 2:
        return [np.zeros(4)]
    apart = (boxes[:, None, :2] + boxes[:, None, 2:] / 2) - (theirs[None, :, :2] + theirs[None, :, 2:] / 2)
    near = apart[(np.abs(apart) <= shift).all(-1)]
    return [np.zeros(4), *(np.array([x, y, 0, 0]) for x, y in near)]


def difference(
    boxes: np.ndarray, classes: np.ndarray, theirs: np.ndarray, their_classes: np.ndarray, iou: float, place: int = 0
) -> ArrangementChange:
    """Return how boxes differ from a training image's. They are matched one to one, for the best overlap in all; a pair
    counts if its classes agree and it overlaps by `iou`."""
    overlap = overlaps(boxes, theirs) * (classes[:, None] == their_classes[None, :])
    overlap[overlap < iou] = 0
    rows, columns = linear_sum_assignment(-overlap)
    matched = overlap[rows, columns] > 0
    mine, left = np.delete(classes, rows[matched]), np.delete(their_classes, columns[matched])
    moved = sum(min((mine == number).sum(), (left == number).sum()) for number in np.unique(mine))
    gone = np.delete(theirs, columns[matched], 0)
    missing, extra = int(len(left) - moved), int(len(mine) - moved)
    return ArrangementChange(place, int(matched.sum()), int(moved), missing, extra, gone)

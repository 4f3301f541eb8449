"""How much a detector doubts what it sees in a photograph: how sure it is, and whether the photograph's mirrored views
show it the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stages.boxes import mirrored, overlaps
from stages.detector.predict import Look
from stages.feedback import labels
from stages.feedback.labels import LabelledObjects
from stages.product import operating
from stages.product.card import Calibration

SAME = 0.5  # overlap at which readings in two views are of one thing
CLEAR = 0.1  # chance of a mistake below which a thing is not in doubt
PROPOSED = 0.25  # certainty from which on a box is proposed: one too many is a key to press, one too few is drawn


@dataclass(frozen=True)
class Sighting:
    """What a detector takes for an object, perhaps wrongly."""

    box: np.ndarray  # (4,) x, y, width, height as shares of the photograph
    number: int  # of its class
    certainty: float  # mean over the views; 0 in one that does not show it
    views: int  # how many show it

    @property
    def mistake(self) -> float:
        """Return how likely the detector's decision about it, whichever is likelier to be right, is wrong."""
        return min(self.certainty, 1 - self.certainty)

    @property
    def doubtful(self) -> bool:
        return self.mistake >= CLEAR


def of(things: list[Sighting]) -> float:
    """Return how many mistakes are to be expected in a photograph."""
    return sum(thing.mistake for thing in things)


def proposed(things: list[Sighting]) -> list[Sighting]:
    """Return what to propose to whoever annotates: of two classes that a thing may have, the surer one."""
    kept: list[Sighting] = []
    for thing in things:
        taken = overlaps(thing.box[None], np.array([of.box for of in kept]).reshape(-1, 4)).max(initial=0) >= SAME
        if thing.certainty >= PROPOSED and not taken:
            kept.append(thing)
    return kept


def seen(look: Look, small: list[np.ndarray], by: Calibration) -> list[list[Sighting]]:
    """Return what a detector sees in all mirrored views of each photograph, the surest first."""
    views: list[list[LabelledObjects]] = [[] for _ in small]
    for across, down in labels.VIEWS:
        turned = [pixels[:: -1 if down else 1, :: -1 if across else 1] for pixels in small]
        for mine, found in zip(views, look(turned), strict=True):
            kept = found[found[:, 4] >= operating.LEAST]
            mine.append(LabelledObjects(mirrored(kept[:, :4], across, down), kept[:, 5].astype(int), kept[:, 4]))
    return [_things(mine, by) for mine in views]


def _things(views: list[LabelledObjects], by: Calibration) -> list[Sighting]:
    things = [
        Sighting(
            np.average(of.boxes, axis=0, weights=of.confidence), int(of.classes[0]),
            float(by.certainty(of.confidence).sum()) / len(views), len(of.boxes),
        )
        for of in labels.readings(views, SAME)
    ]  # fmt: skip
    return sorted(things, key=lambda thing: -thing.certainty)

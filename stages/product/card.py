"""A product's card (card.json): what is known about its detector, and what whoever asks the detector has to know.

What lies in models/products/<product> is the detector in use for that product, and no other place says so: DVC brings
it there, for the commit that is checked out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from stages import files, paths
from stages.evidence.arm_roles import OLD
from stages.problem import Problem

CARD, WEIGHTS, ONNX, PAGE = "card.json", "detector.pt", "detector.onnx", "page.html"
LICENCE = "AGPL-3.0-or-later"


class KnownClass(Struct):
    """One class; its place in the card's list is its number in the weights."""

    id: int  # in the annotations
    name: str


class Measured(Struct):
    """A share, with the ends of its 95 % interval over photographs."""

    value: float
    low: float
    high: float


class Rates(Struct):
    """How many detections are right, and how many objects are found, from a confidence on."""

    precision: Measured
    recall: Measured


class Threshold(Struct):
    """A confidence from which on detections count, what it gives where it was chosen, and on test images."""

    confidence: float
    chosen: Rates
    tested: Rates | None = None


class Calibration(Struct):
    """How a confidence becomes a certainty: the share of detections of this confidence that are right."""

    scale: float = 1.0  # of the confidence's log-odds; one over a temperature …
    offset: float = 0.0  # … and what is added to them

    def certainty(self, confidence: np.ndarray) -> np.ndarray:
        """Return how likely detections of some confidence are right."""
        odds = np.log(np.clip(confidence, 1e-6, 1 - 1e-6)) - np.log1p(-np.clip(confidence, 1e-6, 1 - 1e-6))
        return 1 / (1 + np.exp(-(self.scale * odds + self.offset)))


class Card(Struct):
    """The content of card.json."""

    product: str
    promoted: bool  # by the gate; else this is the detector from before, or the best where there was none
    why: str
    arm: str
    classes: list[KnownClass]
    imgsz: int  # pixels of a picture's longer side, as the detector has learnt to see it
    confidence: float  # from which on a detection counts where no threshold was found
    trained_on: dict[str, Any]
    figures: dict[str, Any]  # and what they were measured on
    chosen_on: str  # the photographs by which thresholds and calibration were chosen
    thresholds: dict[str, Threshold | None]  # "precision", "recall": for 95 % of it; None: not to be had
    calibration: Calibration
    miscalibration: dict[str, Any]
    onnx: dict[str, Any]
    made: dict[str, Any]
    licence: str = LICENCE


def write(folder: Path, card: Card) -> None:
    """Write a card into a product's folder."""
    files.write_json(folder / CARD, files.rounded(msgspec.to_builtins(card)))


def read(folder: Path) -> Card:
    """Return the card in a product's folder."""
    try:
        return msgspec.json.decode((folder / CARD).read_bytes(), type=Card)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(f"{folder / CARD}: {error}") from None


def current(product: str) -> Path:
    """Return the folder with the detector in use for a product."""
    folder = paths.RELEASED / files.relative_name(product, "a product")
    if not (folder / CARD).is_file():
        there = ", ".join(sorted(path.parent.name for path in paths.RELEASED.glob(f"*/{CARD}")))
        mend = f"name one that is there, PRODUCT={there}" if there else \
            "`make product` makes one, `dvc pull` fetches what is in use"  # fmt: skip
        raise Problem(f"{folder}: there is no detector; {mend}")
    return folder


def verdict(about: Card) -> str:
    """Return in a few words whether there is a detector, and what it does."""
    if about.arm == OLD:
        return "no new detector is promoted; this is the one from before"
    recall = about.figures.get("recall")
    said = f"a detector that finds {percent(recall)} of the objects" if recall else "a detector, not measured"
    return said if about.promoted else f"{said}, too few to be put to use; there is no other"


def percent(share: dict[str, float]) -> str:
    """Return a share as people say it."""
    return f"{100 * share['value']:.0f} %"


def headline(about: Card) -> str:
    """Return what there is to say in one line of text."""
    return f"{verdict(about)} ({about.arm}); measured on {about.figures['on']}"

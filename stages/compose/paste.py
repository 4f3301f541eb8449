"""Compose new pictures (data/candidates/<composition>) of a subset's objects and empty bins, its own or generated ones.

annotations.json holds box and mask of every visible object, exactly; each candidate can be made again from its row of
manifest.csv alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from stages import command, settings
from stages.compose import candidates, floors, layout
from stages.compose.candidates import Made, Row
from stages.compose.layout import Habits, Placed
from stages.extract import cutouts, empty_bin
from stages.extract.cutouts import CutOut, SegmentedImage
from stages.extract.empty_bin import Backgrounds
from stages.settings import Composition

# How an object's edge runs into the background: every layout is drawn in all ways, so that no seam tells the object.
BLENDINGS = ("hard", "gaussian", "box")
GAIN, OWN_GAIN = 0.1, 0.06  # how much lighter or darker a picture is than its background was, an object than its bin
SHADOW = 4.0  # pixels over which a shadow fades
DARKEST = 0.7  # of the light that a shadow may take
GENERATED = 100  # objects that are drawn to choose from


@dataclass(frozen=True)
class Stock:
    """All that is needed to compose: made once from a subset, then only read."""

    units: list[CutOut]  # their pixels in shares of the light that lay on them
    backgrounds: Backgrounds
    habits: Habits
    shadow: float  # share of the light that is missing beside an object, where most

    @property
    def shape(self) -> tuple[int, int]:
        return self.habits.region.shape


def rows(name: str, asked: Composition, subset: Path, count: int, seed: int) -> list[Row]:
    """Return a row for each candidate: each layout (a seed) in all blendings. Print what there is to compose with."""
    report(subset)
    made = []
    for number in range(count):
        layout_seed = settings.candidate_seed(seed, number // len(BLENDINGS))
        row = candidates.numbered(name, asked, subset, number, layout_seed)
        made.append(row | {"way": BLENDINGS[number % len(BLENDINGS)]})
    return made


def make(row: Row) -> Made:
    """Return the candidate that a row of the manifest speaks of."""
    of = _stock(candidates.subset_of(row), str(row["objects"]), str(row["floor"]))
    return compose(of, int(row["seed"]), str(row["way"]))


def report(subset: Path) -> None:
    """Print what there is to compose with, for whoever reads the log."""
    found, units, left_out = cutouts.usable(subset)
    empty = empty_bin.backgrounds(found)
    cut = sum(how == "grabcut" for unit in units for how in unit.cut)
    print(f"{subset}: {sum(len(u.masks) == 1 for u in units)} objects that stand alone, "
          f"{sum(len(u.masks) > 1 for u in units)} groups that hide parts of each other, of {len(found)} images; "
          f"{cut} outlines by GrabCut; left out: {dict(left_out) or 'none'}")  # fmt: skip
    print(f"background: {100 * empty.unseen:.1f} % is seen in no image and inpainted; "
          f"at most {100 * empty.ghost:.1f} % of the objects' detail is left in it")  # fmt: skip


@lru_cache(maxsize=2)
def _stock(subset: Path, objects: str, floor: str) -> Stock:
    return stock(subset, settings.named_folder(objects), settings.named_folder(floor))


def stock(subset: Path, drawn: Path | None, floor: Path | None) -> Stock:
    """Return what to compose of. How objects lie is learnt from the subset; a model's folder `drawn` draws the objects,
    and one named by `floor` what lies under them; None: the subset's own."""
    found, units, _ = cutouts.usable(subset)
    own = empty_bin.backgrounds(found)
    if drawn:
        from stages.compose import generated_objects  # and torch, which takes seconds

        even = generated_objects.units(drawn, GENERATED, seed=0)
    else:
        light = {scene.name: empty_bin.light(scene) for scene in found}
        even = [replace(unit, pixels=(unit.pixels / light[unit.image]).astype(np.float32)) for unit in units]
    empty = floors.bins(floor, own, found, units)
    return Stock(even, empty, layout.habits(found, units), shadow(found, own))


def shadow(found: list[SegmentedImage], empty: Backgrounds) -> float:
    """Return how dark it is beside the real images' objects, against the empty bin in the same light."""
    middle = empty.pictures[0] / empty.light[0]
    above, below = 0.0, 1e-6
    for scene in found:
        if scene.pixels.shape == empty.pictures[0].shape and scene.masks.any():
            soft = _faded(scene.covered)
            beside = (soft > 0.1) & ~cv2.dilate(scene.covered.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
            missing = 1 - (scene.pixels / empty_bin.light(scene)).mean(-1) / middle.mean(-1).clip(0.01)
            above += float((soft * missing)[beside].sum())
            below += float((soft**2)[beside].sum())
    return float(np.clip(above / below, 0, DARKEST))


def compose(of: Stock, seed: int, blending: str) -> tuple[np.ndarray, list[tuple[int, np.ndarray]]]:
    """Return a picture, and category and visible mask of each of its objects; the seed alone decides all but the
    blending."""
    rng = np.random.default_rng(seed)
    placed = layout.arrange(of.units, of.habits, rng)
    k = int(rng.integers(len(of.backgrounds.pictures)))
    canvas, light = of.backgrounds.pictures[k].astype(np.float32), of.backgrounds.light[k].astype(np.float32)
    for one in placed:
        _put(canvas, one, light * rng.uniform(1 - OWN_GAIN, 1 + OWN_GAIN), of.shadow, blending)
    canvas *= rng.uniform(1 - GAIN, 1 + GAIN)
    return cv2.convertScaleAbs(canvas), layout.visible(placed, of.shape)


def _put(canvas: np.ndarray, one: Placed, light: np.ndarray, dark: float, blending: str) -> None:
    """Put a unit and its shadow onto the canvas."""
    reach = int(3 * SHADOW)
    shape = np.pad(one.masks.any(0), reach)
    top, left = one.top - reach, one.left - reach
    rows = slice(max(0, -top), min(shape.shape[0], canvas.shape[0] - top))
    columns = slice(max(0, -left), min(shape.shape[1], canvas.shape[1] - left))
    under = canvas[top + rows.start : top + rows.stop, left + columns.start : left + columns.stop]
    under *= 1 - dark * _faded(shape)[rows, columns, None]
    inner = canvas[one.area]
    alpha = _edged(np.any(one.masks, axis=0), blending)[..., None]
    inner += alpha * (one.pixels * light - inner)


def _faded(shape: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(shape.astype(np.float32), (0, 0), SHADOW)


def _edged(shape: np.ndarray, blending: str) -> np.ndarray:
    """Return the share of the object at each pixel of its edge and inside."""
    sharp = shape.astype(np.float32)
    if blending == "gaussian":
        return cv2.GaussianBlur(sharp, (0, 0), 1.0)
    if blending == "box":
        return cv2.blur(sharp, (3, 3))
    return sharp


if __name__ == "__main__":
    command.run(
        lambda composition: candidates.compose(composition, rows, make),
        __doc__, composition="which of params.yaml's compositions",
    )  # fmt: skip

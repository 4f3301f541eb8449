"""Compose new pictures (data/candidates/<composition>) of a subset's objects and of empty bins, its own or others'.

How objects lie, and how photographs differ in light, noise and sharpness, is learnt from other products' photographs,
where there are some. Every picture has a layout of its own. annotations.json holds box and mask of every object,
exactly, or, where the photographs have boxes alone, as roomy as these are. Each candidate can be made again from its
row of manifest.csv alone.
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
from stages.compose.layout import Placed
from stages.extract import cutouts, empty_bin, habits, looks, object_mask, placeable, shadow
from stages.extract.cutouts import SegmentedImage
from stages.extract.habits import Habits
from stages.extract.looks import Appearance
from stages.extract.placeable import CutOut
from stages.extract.shadow import Shadow
from stages.settings import Composition

BLENDINGS = ("hard", "gaussian", "box")  # how an object's edge runs into the background: no one seam tells the object
GAIN = 0.1  # how much lighter or darker a picture may be than its bin was, where no photographs tell
OWN_GAIN = 0.06  # … and an object than its bin
GENERATED = 100  # objects that are drawn to choose from
LEARNT, LENT = 60, 20  # known products' photographs that are learnt from; of these, whose empty bins are used


@dataclass(frozen=True)
class EmptyBin:
    """One empty bin, as a photograph showed it."""

    picture: np.ndarray  # (height, width, 3) uint8
    light: np.ndarray  # (3,) how bright it is
    look: Appearance
    shadow: Shadow


@dataclass(frozen=True)
class Stock:
    """All that is needed to compose: made once from photographs, then only read."""

    units: list[CutOut]  # their pixels in shares of the light that lay on them
    bins: list[EmptyBin]
    habits: Habits
    looks: list[Appearance]  # that pictures may have
    region: np.ndarray  # (height, width) bool: where objects lie
    slack: int = 0  # pixels by which annotated boxes are larger than their objects, on each side


def rows(name: str, asked: Composition, subset: Path, count: int, seed: int) -> list[Row]:
    """Return a row for each candidate. Print what there is to compose with."""
    report(subset)
    return [
        candidates.numbered(name, asked, subset, number, settings.candidate_seed(seed, number))
        for number in range(count)
    ]


def make(row: Row) -> Made:
    """Return the candidate that a row of the manifest speaks of."""
    of = _stock(candidates.subset_of(row), str(row["known"]), str(row["objects"]), str(row["floor"]))
    return compose(of, int(row["seed"]))


def report(subset: Path) -> None:
    """Print what there is to compose with, for whoever reads the log."""
    found, units, left_out = placeable.usable(subset)
    empty = empty_bin.seen(found)
    cut = sum(how == "grabcut" for unit in units for how in unit.cut)
    print(f"{subset}: {sum(len(u.masks) == 1 for u in units)} whole objects, "
          f"{sum(len(u.masks) > 1 for u in units)} groups that hide parts of each other, of {len(found)} images; "
          f"{cut} outlines by GrabCut; left out: {dict(left_out) or 'none'}")  # fmt: skip
    print(f"background: {100 * empty.unseen:.1f} % is seen in no image and inpainted; "
          f"at most {100 * empty_bin.ghost(empty):.1f} % of the objects' detail is left in it")  # fmt: skip


@lru_cache(maxsize=2)
def _stock(subset: Path, known: str, objects: str, floor: str) -> Stock:
    return stock(subset, *map(settings.named_folder, (known, objects, floor)))


def stock(subset: Path, known: Path | None, drawn: Path | None, floor: Path | None) -> Stock:
    """Return what to compose of. How objects lie is learnt from `known`, a folder of other products' photographs, or
    assumed; a model's folder `drawn` draws the objects, and one named by `floor` what lies under them; None: the
    subset's own."""
    found, units, _ = placeable.usable(subset)
    if drawn:
        from stages.compose import generated_objects  # and torch, which takes seconds

        even = generated_objects.units(drawn, GENERATED, seed=0)
    else:
        light = {scene.name: empty_bin.light(scene) for scene in found}
        even = [replace(unit, pixels=(unit.pixels / light[unit.image]).astype(np.float32)) for unit in units]
    others = [scene for scene in cutouts.scenes(known, LEARNT)[0] if len(scene.masks)] if known else []
    same = [scene for scene in others if scene.pixels.shape == found[0].pixels.shape]
    lent = [] if floor else same[:: max(1, len(same) // LENT)]
    shown = [*found, *lent]
    empty = bins(shown, floors.bins(floor, empty_bin.backgrounds(shown), shown))
    lies = habits.of(others) if others else habits.assumed(tuple(len(scene.masks) for scene in found), 0.0)
    guessed = [by for scene in found for by in scene.slack]
    return Stock(even, empty, lies, looks.of(others) if others else [], empty_bin.region([*found, *same]),
                 round(float(np.median(guessed))) if guessed else 0)  # fmt: skip


def bins(found: list[SegmentedImage], empty: empty_bin.Backgrounds) -> list[EmptyBin]:
    """Return empty bins that were made of photographs with what these tell of their light: the median of all first,
    then that of each photograph of its size."""
    size = empty.pictures[0].shape
    used = [scene for scene in found if scene.pixels.shape == size][: len(empty.pictures) - 1]
    bare = empty.pictures[0] / empty.light[0]
    shadows = [shadow.of(scene, bare) for scene in used]
    grey = cv2.cvtColor(empty.pictures[0], cv2.COLOR_RGB2GRAY).astype(np.float32)
    usual = (
        Appearance(np.ones(3), looks.noise(grey), 0.0),
        Shadow(float(np.median([one.dark for one in shadows])), 0.0, 0.0),
    )
    facts = [usual, *zip(looks.of(used), shadows, strict=True)]
    return [
        EmptyBin(picture, light, *of) for picture, light, of in zip(empty.pictures, empty.light, facts, strict=True)
    ]


def compose(of: Stock, seed: int) -> Made:
    """Return a picture, and category and visible mask of each of its objects, as roomy as boxes are; the seed alone
    decides."""
    rng = np.random.default_rng(seed)
    made = layout.arrange(of.units, of.habits, of.region, rng)
    under, blending = of.bins[int(rng.integers(len(of.bins)))], str(rng.choice(BLENDINGS))
    canvas = under.picture.astype(np.float32)
    for one in made.placed:
        _put(canvas, one, under.light * rng.uniform(1 - OWN_GAIN, 1 + OWN_GAIN), under.shadow, blending)
    if of.looks:
        look = of.looks[int(rng.integers(len(of.looks)))]
    else:
        look = replace(under.look, light=under.look.light * rng.uniform(1 - GAIN, 1 + GAIN))
    labels = [(category, object_mask.grown(mask, of.slack) if of.slack else mask) for category, mask in made.visible()]
    return cv2.convertScaleAbs(_seen(canvas, under.look, look, rng)), labels


def _put(canvas: np.ndarray, one: Placed, light: np.ndarray, cast: Shadow, blending: str) -> None:
    """Put a unit and its shadow onto the canvas."""
    width = canvas.shape[1]
    across, down, soft = cast.across * width, cast.down * width, shadow.SOFT * width
    reach = int(3 * soft + max(abs(across), abs(down))) + 1
    shape = np.pad(one.shape, reach)
    top, left = one.top - reach, one.left - reach
    rows = slice(max(0, -top), min(shape.shape[0], canvas.shape[0] - top))
    columns = slice(max(0, -left), min(shape.shape[1], width - left))
    fallen = shadow.moved(cv2.GaussianBlur(shape.astype(np.float32), (0, 0), soft), across, down)
    under = canvas[top + rows.start : top + rows.stop, left + columns.start : left + columns.stop]
    under *= cv2.merge([1 - cast.dark * fallen[rows, columns]] * 3)  # numpy is slow where it has to stretch a channel
    inner = canvas[one.area]
    inner += cv2.merge([_edged(one.shape, blending)] * 3) * (one.pixels * light.astype(np.float32) - inner)


def _edged(shape: np.ndarray, blending: str) -> np.ndarray:
    """Return the share of the object at each pixel of its edge and inside."""
    sharp = shape.astype(np.float32)
    if blending == "gaussian":
        return cv2.GaussianBlur(sharp, (0, 0), 1.0)
    if blending == "box":
        return cv2.blur(sharp, (3, 3))
    return sharp


def _seen(canvas: np.ndarray, was: Appearance, wanted: Appearance, rng: np.random.Generator) -> np.ndarray:
    """Return a picture given as much light, blur and noise as another photograph had, as far as that can be added."""
    canvas *= (wanted.light / was.light).astype(np.float32)
    if (softer := wanted.blur**2 - was.blur**2) > 0:
        canvas = cv2.GaussianBlur(canvas, (0, 0), float(np.sqrt(softer)))
    if (grain := wanted.noise**2 - was.noise**2) > 0:
        height, width = canvas.shape[:2]
        left, top = rng.integers(width), rng.integers(height)
        canvas += np.float32(np.sqrt(grain)) * _grain(2 * height, 2 * width)[top : top + height, left : left + width]
    return canvas


@lru_cache(maxsize=1)
def _grain(height: int, width: int) -> np.ndarray:
    """Return noise to take a part of: drawing it anew would take longer than all else."""
    return np.random.default_rng(0).standard_normal((height, width, 3), np.float32)


if __name__ == "__main__":
    command.run(
        lambda composition: candidates.compose(composition, rows, make),
        __doc__, composition="which of params.yaml's compositions",
    )  # fmt: skip

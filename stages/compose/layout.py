"""Where units go in a new picture: as many as in real images, anywhere objects lie there, at any angle."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from stages.extract.cutouts import CutOut, SegmentedImage

TRIES = 40  # places that are looked at for one unit
SCALE = 0.05  # how much larger or smaller than it was
APART = 3  # pixels between objects that do not touch
INSIDE = 0.97  # of a unit must lie where real objects do
SEEN = 0.25  # share of an object that must stay visible for it to count


@dataclass(frozen=True)
class Habits:
    """How objects lie in real images."""

    counts: tuple[int, ...]  # objects of each image
    touching: float  # share of objects that touch another one
    region: np.ndarray  # (height, width) bool: the hull of all places where objects lie


@dataclass(frozen=True)
class Placed:
    """A unit turned, in its place."""

    pixels: np.ndarray  # (h, w, 3) float32
    masks: np.ndarray  # (k, h, w) bool
    left: int
    top: int
    categories: tuple[int, ...]

    @property
    def area(self) -> tuple[slice, slice]:
        h, w = self.masks.shape[1:]
        return slice(self.top, self.top + h), slice(self.left, self.left + w)


def habits(found: list[SegmentedImage], units: list[CutOut]) -> Habits:
    """Learn how objects lie from the images that show them."""
    shape = found[0].pixels.shape[:2]
    scenes = [scene for scene in found if scene.pixels.shape[:2] == shape]
    covered = np.any([scene.covered for scene in scenes], axis=0)
    points = cv2.findNonZero(covered.astype(np.uint8))
    region = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(region, cv2.convexHull(points), 1)
    together = sum(len(unit.masks) for unit in units if len(unit.masks) > 1)
    total = sum(len(unit.masks) for unit in units)
    counts = tuple(len(scene.masks) for scene in found if len(scene.masks))
    return Habits(counts, together / total, region.astype(bool))


def arrange(units: list[CutOut], by: Habits, rng: np.random.Generator) -> list[Placed]:
    """Place units until there are as many objects as in one of the real images, or no more room."""
    wanted, taken = int(rng.choice(by.counts)), np.zeros(by.region.shape, bool)
    placed: list[Placed] = []
    for _ in range(2 * wanted):
        room = wanted - sum(len(one.masks) for one in placed)
        fitting = [unit for unit in units if len(unit.masks) <= room]
        if not fitting:
            break
        unit = turned(fitting[int(rng.integers(len(fitting)))], rng)
        touch = bool(placed) and rng.random() < by.touching
        if (spot := _spot(unit, by, taken, touch, rng)) is not None:
            placed.append(spot)
            taken[spot.area] |= spot.masks.any(0)
    return placed


def turned(unit: CutOut, rng: np.random.Generator) -> Placed:
    """Return a unit at any angle, a little larger or smaller; not yet in its place."""
    h, w = unit.masks.shape[1:]
    angle, scale = rng.uniform(0, 360), rng.uniform(1 - SCALE, 1 + SCALE)
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), angle, scale)
    cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
    width, height = int(np.ceil(h * sin + w * cos)) + 4, int(np.ceil(h * cos + w * sin)) + 4
    turn[:, 2] += (width - w) / 2, (height - h) / 2
    pixels = cv2.warpAffine(unit.pixels, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    masks = np.stack([
        cv2.warpAffine(mask.astype(np.uint8) * 255, turn, (width, height), flags=cv2.INTER_LINEAR) > 127
        for mask in unit.masks
    ])  # fmt: skip
    for k in range(1, len(masks)):
        masks[k] &= ~masks[:k].any(0)  # neighbours meet at a pixel's middle, and it is one's own
    return Placed(pixels.astype(np.float32), masks, 0, 0, unit.categories)


def visible(placed: list[Placed], shape: tuple[int, int]) -> list[tuple[int, np.ndarray]]:
    """Return category and mask in the frame of every placed object that is still seen well enough; later ones lie on
    top."""
    covered, found = np.zeros(shape, bool), []
    for one in reversed(placed):
        for category, mask in zip(one.categories, one.masks, strict=True):
            seen = mask & ~covered[one.area]
            if mask.any() and seen.sum() >= SEEN * mask.sum():
                whole = np.zeros(shape, bool)
                whole[one.area] = seen
                found.append((category, whole))
        covered[one.area] |= one.masks.any(0)
    return found[::-1]


def _spot(unit: Placed, by: Habits, taken: np.ndarray, touch: bool, rng: np.random.Generator) -> Placed | None:
    """Return the unit at a place inside the region, on others or apart from them; None where none was found."""
    height, width = by.region.shape
    h, w = unit.masks.shape[1:]
    if h > height or w > width:
        return None
    shape = np.any(unit.masks, axis=0)
    wide = cv2.dilate(shape.astype(np.uint8), np.ones((2 * APART + 1,) * 2, np.uint8)).astype(bool)
    for _ in range(TRIES):
        left, top = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
        spot = replace(unit, left=left, top=top)
        if (by.region[spot.area] & shape).sum() < INSIDE * shape.sum():
            continue
        if (taken[spot.area] & (shape if touch else wide)).any() == touch:
            return spot
    return None

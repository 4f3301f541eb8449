"""Where units go in a new picture: as many, as close, as deep in each other and as often cut off as in photographs.

Every object that is placed stays visible enough to be annotated: what would hide more of another is not put there. So
nothing of an object is left in a picture without a label.

What may stand upright is turned about the picture's middle, from which it leans away; all else lies at any angle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from stages.extract.habits import Habits
from stages.extract.placeable import CutOut

TRIES = 40  # places that are looked at for one unit
DRIFT = 0.1  # how much nearer to the picture's middle than it was, or farther, what stands there may be placed
SCALE = 0.05  # how much larger or smaller than it was
APART = 3  # pixels between objects that do not touch
EASE = 4  # pixels: a unit's corners may be empty
INSIDE = 0.97  # of what is seen of a unit must lie where objects do
HALVINGS = 9  # of the way between hiding most of an object and nothing of it
OUTSIDE = (0.05, 0.7)  # share of a unit that the frame cuts off, where it does


@dataclass(frozen=True)
class Placed:
    """A unit turned, in its place, as far as the frame shows it."""

    pixels: np.ndarray  # (h, w, 3) float32
    masks: np.ndarray  # (k, h, w) bool
    areas: tuple[int, ...]  # of each object, what is outside the frame included
    categories: tuple[int, ...]
    shape: np.ndarray  # (h, w) bool: all of its objects
    left: int = 0
    top: int = 0

    @property
    def area(self) -> tuple[slice, slice]:
        h, w = self.masks.shape[1:]
        return slice(self.top, self.top + h), slice(self.left, self.left + w)


class Layout:
    """Units in a frame, later ones on top."""

    def __init__(self, region: np.ndarray):
        self.region = region  # (height, width) bool: where objects lie
        rows, columns = (np.flatnonzero(region.any(axis)) for axis in (1, 0))
        self.top, self.bottom, self.left, self.right = rows[0], rows[-1], columns[0], columns[-1]
        self.owner: np.ndarray = np.zeros(
            region.shape, np.int32
        )  # the topmost object's number at each pixel, from 1; 0: none
        self.placed: list[Placed] = []
        # Of each number's object, 0 standing for the bin: category, middle (x, y), size, and how much of it is seen.
        self.categories, self.middles = [0], [(0.0, 0.0)]
        self.areas, self.seen = np.zeros(1), np.zeros(1)

    def __len__(self) -> int:
        return len(self.areas) - 1

    def put(self, one: Placed) -> None:
        """Put a unit on top of all that is there."""
        self.seen -= self._hidden_by(one)
        for mask, area, category in zip(one.masks, one.areas, one.categories, strict=True):
            ys, xs = np.nonzero(mask)
            self.owner[one.area][mask] = len(self.areas)
            self.areas, self.seen = np.append(self.areas, area), np.append(self.seen, len(xs))
            self.categories.append(category)
            self.middles.append((one.left + xs.mean(), one.top + ys.mean()))
        self.placed.append(one)

    def leaves(self, one: Placed, least: float) -> bool:
        """Return whether a unit on top leaves enough to be seen of every object that is there, and shows enough
        itself."""
        hides = self._hidden_by(one)
        left, touched = self.seen - hides, hides > 0
        shown = one.masks.sum((1, 2))
        # In a group objects hide each other, as they did.
        enough = least * np.array(one.areas) if len(one.areas) == 1 else 1
        return bool((left[touched] >= least * self.areas[touched]).all() and (shown >= enough).all())

    def inside(self, one: Placed) -> bool:
        """Return whether a unit lies where objects do."""
        return bool((self.region[one.area] & one.shape).sum() >= INSIDE * one.shape.sum())

    def hides(self, one: Placed, number: int) -> int:
        """Return how many pixels of an object a unit on top would hide."""
        return int((self.owner[one.area][one.shape] == number).sum())

    def visible(self) -> list[tuple[int, np.ndarray]]:
        """Return category and mask in the frame of every object."""
        return [(category, self.owner == k) for k, category in enumerate(self.categories) if k]

    def _hidden_by(self, one: Placed) -> np.ndarray:
        found = np.bincount(self.owner[one.area][one.shape], minlength=len(self.areas))
        found[0] = 0
        return found


def arrange(units: Sequence[CutOut], by: Habits, region: np.ndarray, rng: np.random.Generator) -> Layout:
    """Place units until there are as many objects as in one of the photographs, or no more room. `region`: where
    objects lie."""
    made = Layout(region)
    wanted = int(rng.choice(by.counts))
    often = 1 - np.sqrt(1 - min(by.touching, 0.99))  # of two that touch, only one was placed so
    for _ in range(2 * wanted):
        fitting = [unit for unit in units if len(unit.masks) <= wanted - len(made)]
        if not fitting:
            break
        unit, scale = fitting[int(rng.integers(len(fitting)))], rng.uniform(1 - SCALE, 1 + SCALE)
        on = bool(made.placed) and not unit.sides and rng.random() < often
        if unit.sides:
            spot = _flush(unit, made, by, rng)
        elif unit.may_stand:
            spot = _leaning(unit, scale, on, made, by, rng)
        elif on:
            spot = _upon(turned(unit, rng.uniform(0, 360), scale * by.rise), made, by, rng)
        else:
            spot = _apart(turned(unit, rng.uniform(0, 360), scale), made, by, rng)
        if spot is not None:
            made.put(spot)
    if not made.placed:  # nothing of these had room but where it was, as what is as long as the frame
        spot = _as_it_lay(units[int(rng.integers(len(units)))], region.shape, half=bool(rng.integers(2)))
        if spot is not None:
            made.put(spot)
    return made


def turned(unit: CutOut, angle: float, scale: float) -> Placed:
    """Return a unit turned by so many degrees, larger or smaller; not yet in its place."""
    h, w = unit.masks.shape[1:]
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
    return _placed(pixels.astype(np.float32), masks, unit)


def _placed(pixels: np.ndarray, masks: np.ndarray, unit: CutOut) -> Placed:
    areas = tuple(masks.sum((1, 2)).tolist())
    return Placed(pixels, masks, areas, unit.categories, np.any(masks, axis=0))


def _apart(one: Placed, made: Layout, by: Habits, rng: np.random.Generator) -> Placed | None:
    """Return a unit at a place where it touches nothing, now and then reaching over the frame's edge; None where none
    was found."""
    taken = _near(made)
    over = rng.random() < by.cut
    for _ in range(TRIES):
        spot = _over_edge(one, made.owner.shape, rng) if over else _anywhere(one, made, rng)
        if over and spot and spot.masks.sum() == sum(spot.areas):
            continue
        if spot and made.inside(spot) and not taken[spot.area][spot.shape].any() and made.leaves(spot, by.least):
            return spot
    return None


def _near(made: Layout) -> np.ndarray:
    """Return where whatever lies there would touch an object."""
    reach = 2 * APART + 1
    return cv2.dilate((made.owner > 0).astype(np.uint8), np.ones((reach, reach), np.uint8)).astype(bool)


def _leaning(unit: CutOut, scale: float, on: bool, made: Layout, by: Habits, rng: np.random.Generator) -> Placed | None:
    """Return a unit turned about the picture's middle, touching nothing, or if it may lie on others (`on`) somewhere;
    None where no place was found."""
    height, width = made.owner.shape
    taken = np.zeros_like(made.region) if on else _near(made)
    angles, far = rng.uniform(0, 360, TRIES), rng.uniform(1 - DRIFT, 1 + DRIFT, TRIES)
    cos, sin, (across, down) = far * np.cos(np.radians(angles)), far * np.sin(np.radians(angles)), unit.away
    xs, ys = width / 2 + cos * across + sin * down, height / 2 - sin * across + cos * down
    inside = (xs >= 0) & (xs < width) & (ys >= 0) & (ys < height)
    bare = made.region & ~taken
    free = [k for k in np.flatnonzero(inside) if bare[int(ys[k]), int(xs[k])]]  # turning a unit costs more
    for k in free[: TRIES // 4]:
        one = turned(unit, angles[k], scale)
        h, w = one.shape.shape
        spot = _at(one, round(xs[k] - w / 2), round(ys[k] - h / 2), made.owner.shape)
        if spot and made.inside(spot) and not taken[spot.area][spot.shape].any() and made.leaves(spot, by.least):
            return spot
    return None


def _upon(one: Placed, made: Layout, by: Habits, rng: np.random.Generator) -> Placed | None:
    """Return a unit at a place where it hides as much of an object as is usual, or just touches it."""
    h, w = one.masks.shape[1:]
    for _ in range(TRIES // 4):
        number = int(rng.integers(1, len(made.areas)))
        hidden = float(rng.choice(by.hidden)) * made.areas[number] - (made.areas[number] - made.seen[number])
        (x, y), angle = made.middles[number], rng.uniform(0, 2 * np.pi)
        near, far, spot = 0.0, float(np.hypot(*made.owner.shape)), None
        for _ in range(HALVINGS):
            middle = (near + far) / 2
            left, top = round(x + middle * np.cos(angle) - w / 2), round(y + middle * np.sin(angle) - h / 2)
            there = _at(one, left, top, made.owner.shape)
            if there is not None and made.hides(there, number) > hidden:
                near = middle
            else:
                far, spot = middle, there
        if spot is not None and made.inside(spot) and made.leaves(spot, by.least):
            return spot
    return None


def _flush(unit: CutOut, made: Layout, by: Habits, rng: np.random.Generator) -> Placed | None:
    """Return a unit that its photograph's frame cut off at the same side of the new one, or at the opposite one, half
    turned."""
    height, width = made.owner.shape
    half = bool(rng.integers(2))
    one = _straight(unit, half)
    h, w = one.shape.shape
    if h > height or w > width:
        return None
    at_top, at_bottom, at_left, at_right = (side in unit.sides for side in ("top", "bottom", "left", "right"))
    if half:
        at_top, at_bottom, at_left, at_right = at_bottom, at_top, at_right, at_left
    for _ in range(TRIES):
        left = 0 if at_left else width - w if at_right else int(rng.integers(width - w + 1))
        top = 0 if at_top else height - h if at_bottom else int(rng.integers(height - h + 1))
        spot = replace(one, left=left, top=top)
        if made.leaves(spot, by.least):
            return spot
    return None


def _straight(unit: CutOut, half: bool) -> Placed:
    """Return a unit as it is, or half turned."""
    pixels, masks = unit.pixels.astype(np.float32), unit.masks
    if half:
        pixels, masks = pixels[::-1, ::-1], masks[:, ::-1, ::-1]
    return _placed(np.ascontiguousarray(pixels), np.ascontiguousarray(masks), unit)


def _as_it_lay(unit: CutOut, frame: tuple[int, ...], half: bool) -> Placed | None:
    """Return a unit where it was, or half turned about the picture's middle; None where the frame does not reach."""
    one, (across, down) = _straight(unit, half), unit.away
    (height, width), (h, w), turn = frame, one.shape.shape, -1 if half else 1
    return _at(one, round(width / 2 + turn * across - w / 2), round(height / 2 + turn * down - h / 2), frame)


def _anywhere(one: Placed, made: Layout, rng: np.random.Generator) -> Placed | None:
    """Return a unit somewhere about where objects lie, all of it in the frame; None where it is too long for that."""
    (height, width), (h, w) = made.owner.shape, one.masks.shape[1:]
    if h > height or w > width:
        return None
    top = int(rng.integers(made.top - EASE, max(made.top, made.bottom - h) + EASE + 1))
    left = int(rng.integers(made.left - EASE, max(made.left, made.right - w) + EASE + 1))
    return replace(one, left=min(max(left, 0), width - w), top=min(max(top, 0), height - h))


def _over_edge(one: Placed, frame: tuple[int, ...], rng: np.random.Generator) -> Placed | None:
    """Return a unit somewhere at the frame's edge, part of it outside."""
    (height, width), (h, w) = frame, one.masks.shape[1:]
    left, top = int(rng.integers(-w // 2, width - w // 2)), int(rng.integers(-h // 2, height - h // 2))
    out = rng.uniform(*OUTSIDE)
    if rng.random() < width / (width + height):
        top = int(rng.choice([-out * h, height - (1 - out) * h]))
    else:
        left = int(rng.choice([-out * w, width - (1 - out) * w]))
    return _at(one, left, top, frame)


def _at(one: Placed, left: int, top: int, frame: tuple[int, ...]) -> Placed | None:
    """Return a unit at a place, without what is outside the frame; None where nothing is left of an object."""
    (height, width), (h, w) = frame, one.masks.shape[1:]
    rows, columns = slice(max(0, -top), min(h, height - top)), slice(max(0, -left), min(w, width - left))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return None
    masks = one.masks[:, rows, columns]
    if not masks.any((1, 2)).all():
        return None
    return replace(
        one, pixels=one.pixels[rows, columns], masks=masks, shape=one.shape[rows, columns],
        left=left + columns.start, top=top + rows.start,
    )  # fmt: skip

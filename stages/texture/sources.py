"""What textures are learnt from: places of a few photographs, cut into squares.

`floor`: each photograph's bin with its objects filled in, and the median of all, in the region where objects lie. Where
nothing lies this is the photograph itself. `label`: the rectangle inside each whole object, turned upright. All are
brought into the same light: in its own, every photograph would be a texture for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import cv2
import numpy as np

from stages.extract import empty_bin, placeable, upright
from stages.extract.cutouts import SegmentedImage
from stages.extract.placeable import CutOut
from stages.problem import Problem

INSET = 0.02  # of the side: the steps in which a rectangle shrinks into an outline


@dataclass(frozen=True)
class Source:
    """A picture, and where in it the texture is."""

    pixels: np.ndarray  # (h, w, 3) uint8
    free: np.ndarray  # (h, w) bool


def floors(found: list[SegmentedImage], units: list[CutOut]) -> list[Source]:
    empty = empty_bin.backgrounds(found)
    pictures = [_lit(*of, empty.light[0]) for of in zip(empty.pictures, empty.light, strict=True)]
    free = empty_bin.region(found)
    return [Source(picture, free) for picture in pictures]


def labels(found: list[SegmentedImage], units: list[CutOut]) -> list[Source]:
    light = {scene.name: empty_bin.light(scene) for scene in found}
    usual = np.median(list(light.values()), axis=0)
    made = []
    for one in upright.upright(units):
        pixels = _lit(one.pixels[_inner(one.mask)], light[one.image], usual)
        made.append(Source(pixels, np.ones(pixels.shape[:2], bool)))
    return made


KINDS = {"floor": floors, "label": labels}


def squares(subset: Path, kinds: Sequence[str], size: int, count: int, seed: int) -> np.ndarray:
    """Return so many squares (count, size, size, 3) from all sources of a subset in turn, each kind equally often."""
    found, units, _ = placeable.usable(subset)
    rng = np.random.default_rng(seed)
    cut = []
    for number, kind in enumerate(kinds):
        sources = [_fitted(source, size) for source in KINDS[kind](found, units)]
        places = [(source.pixels, np.argwhere(_room(source.free, size))) for source in sources]
        places = [(pixels, spots) for pixels, spots in places if len(spots)]
        if not places:
            raise Problem(f"{subset}: no {kind} has room for squares of {size} pixels; lower scales.….texture.size")
        mine = count // len(kinds) + (number < count % len(kinds))
        for pixels, spots in islice(cycle(places), mine):
            top, left = spots[rng.integers(len(spots))]
            cut.append(pixels[top : top + size, left : left + size])
    return np.stack(cut)


def _lit(pixels: np.ndarray, light: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return pixels as they would look in another light."""
    return (pixels / light * other).clip(0, 255).round().astype(np.uint8)


def _inner(mask: np.ndarray) -> tuple[slice, slice]:
    """Return the largest rectangle of the outline's own proportions, around its middle, that lies in it."""
    h, w = mask.shape
    part = slice(0, h), slice(0, w)
    for share in np.arange(0, 0.5, INSET):
        part = slice(round(h * share), round(h * (1 - share))), slice(round(w * share), round(w * (1 - share)))
        if mask[part].min() > 0.99:
            break
    return part


def _fitted(source: Source, size: int) -> Source:
    """Return the source enlarged, where it is narrower than a square."""
    ratio = size / min(source.free.shape)
    if ratio <= 1:
        return source
    shape = [max(size, round(side * ratio)) for side in source.free.shape[::-1]]
    pixels = cv2.resize(source.pixels, shape, interpolation=cv2.INTER_CUBIC)
    return Source(pixels, cv2.resize(source.free.astype(np.uint8), shape, interpolation=cv2.INTER_NEAREST) > 0)


def _room(free: np.ndarray, size: int) -> np.ndarray:
    """Return where squares of `size` are free: True at their upper left corners."""
    sums = np.pad(free.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    return sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size] == size**2

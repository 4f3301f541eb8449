"""What the empty bin looks like, and what a picture shows off it where no object is known: its ghosts."""

from __future__ import annotations

import warnings

import cv2
import numpy as np

from stages.judge.reference import Reference

MARGIN = 0.1  # of the side: how far an object's shadow and blur may reach beyond its box
SHADOW = 0.04  # … and in the images that show what the bin looks like, of which there are few
TILES = 8  # across; a ghost is as strong as the strongest tile …
ENOUGH = 0.3  # … of which so much shows no object
FINE = 1 / 32  # of the side
NEAR = 1 / 32  # of the side: how far the bin may lie elsewhere
STRONG = 0.8  # an object fills at least a fifth of its box


def empty(reference: Reference) -> np.ndarray:
    """The median of each pixel over the images in which no object hides it; (size, size, 3) in 0…1."""
    pixels = np.stack([one / 255.0 for one in reference.pixels])
    hidden = np.stack([covered(boxes, pixels.shape[1], SHADOW) for boxes in reference.boxes])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # pixels that are hidden everywhere
        seen = np.nanmedian(np.where(hidden[..., None], np.nan, pixels), axis=0)
    holes = np.isnan(seen).any(-1)
    filled = np.where(holes[..., None], np.median(pixels, axis=0), seen)
    if holes.any() and not holes.all():
        picture = (filled * 255).round().clip(0, 255).astype(np.uint8)
        filled = cv2.inpaint(picture, holes.astype(np.uint8), 3, cv2.INPAINT_TELEA) / 255.0
    return filled


def ghost(pixels: np.ndarray, boxes: np.ndarray, reference: Reference) -> float:
    """How much a picture (size, size, 3; uint8) shows beside its boxes that no real image shows there, where most.

    Tile by tile it is compared with the same place, and places close by, of all real images that show no object there.
    """
    size = pixels.shape[0]
    free = ~covered(boxes, size, MARGIN)
    picture, reach = _detail(pixels), max(1, round(size * NEAR))
    open_ = 0.9 * _tiles(free)
    least = np.full(open_.shape, np.inf)
    for real, theirs in zip(reference.pixels, reference.boxes, strict=True):
        bare, known = ~covered(theirs, size, SHADOW), _detail(real)
        for dy in range(-reach, reach + 1):
            for dx in range(-reach, reach + 1):
                seen = free & np.roll(bare, (dy, dx), (0, 1))
                apart = ((picture - np.roll(known, (dy, dx), (0, 1))) ** 2).mean(-1)
                share = _tiles(seen)
                enough = (share >= ENOUGH) & (share >= open_)
                means = _tiles(apart * seen) / np.maximum(share, 1e-9)
                least = np.minimum(least, np.where(enough, means, np.inf))
    return float(np.sqrt(least[np.isfinite(least)].max(initial=0)))  # a tile that no real image shows says nothing


def _detail(pixels: np.ndarray) -> np.ndarray:
    """What is finer than an object: exposure and soft shadows are not."""
    picture = pixels / 255.0
    return picture - cv2.GaussianBlur(picture, (0, 0), len(pixels) * FINE)


def _tiles(values: np.ndarray) -> np.ndarray:
    """Means of tiles that overlap by half."""
    tile = values.shape[0] // TILES
    return cv2.blur(values.astype(np.float64), (tile, tile), anchor=(0, 0))[
        : 1 - tile : tile // 2, : 1 - tile : tile // 2
    ]


def strengths(pixels: np.ndarray, boxes: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """How strongly each box's content stands out from the empty bin: what is half transparent does so by half."""
    size = pixels.shape[0]
    free = ~covered(boxes, size, MARGIN)
    picture = pixels / 255.0
    if free.any():
        picture = picture + np.median(empty[free] - picture[free], axis=0)
    apart = np.sqrt(((picture - empty) ** 2).mean(-1))
    found = []
    for box in boxes:
        inside = apart[covered(box[None], size, 0)]
        found.append(float(np.quantile(inside, STRONG)) if inside.size else 0.0)
    return np.array(found)


def covered(boxes: np.ndarray, size: int, margin: float) -> np.ndarray:
    """(size, size) bool: inside a box that is widened on all sides."""
    mask = np.zeros((size, size), bool)
    for x, y, w, h in boxes:
        left, top = (max(0, int((v - margin) * size)) for v in (x, y))
        mask[top : int(np.ceil((y + h + margin) * size)), left : int(np.ceil((x + w + margin) * size))] = True
    return mask

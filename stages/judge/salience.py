"""What the empty bin looks like, and how much an object stands out from it."""

from __future__ import annotations

import warnings

import cv2
import numpy as np

from stages.judge.reference import Reference

MARGIN = 0.1  # of the side: how far an object's shadow and blur may reach beyond its box …
SHADOW = 0.04  # … and in the images that show what the bin looks like, of which there are few
STRONG = 0.8  # an object fills at least a fifth of its box


def empty(reference: Reference) -> np.ndarray:
    """Return the median of each pixel over the images in which no object hides it; (size, size, 3) in 0…1."""
    pixels = np.stack([one / 255.0 for one in reference.pixels])
    hidden = np.stack([_covered(boxes, pixels.shape[1], SHADOW) for boxes in reference.boxes])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # pixels that are hidden everywhere
        seen = np.nanmedian(np.where(hidden[..., None], np.nan, pixels), axis=0)
    holes = np.any(np.isnan(seen), axis=-1)
    filled = np.where(holes[..., None], np.median(pixels, axis=0), seen)
    if holes.any() and not holes.all():
        picture = (filled * 255).round().clip(0, 255).astype(np.uint8)
        filled = cv2.inpaint(picture, holes.astype(np.uint8), 3, cv2.INPAINT_TELEA) / 255.0
    return filled


def strengths(pixels: np.ndarray, boxes: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """Return how strongly each box's content stands out from the empty bin; what is half transparent: by half."""
    free = ~_covered(boxes, len(pixels), MARGIN)
    picture = pixels / 255.0
    if free.any():  # another exposure is no difference
        picture = picture + np.median(empty[free] - picture[free], axis=0)
    apart = np.sqrt(((picture - empty) ** 2).mean(-1))
    inside = [apart[_covered(box[None], len(pixels), 0)] for box in boxes]
    return np.array([np.quantile(of, STRONG) if of.size else 0.0 for of in inside])


def _covered(boxes: np.ndarray, size: int, margin: float) -> np.ndarray:
    """Return where (size, size; bool) boxes lie that are widened on all sides."""
    mask = np.zeros((size, size), bool)
    for x, y, w, h in boxes:
        left, top = (max(0, int((v - margin) * size)) for v in (x, y))
        mask[top : int(np.ceil((y + h + margin) * size)), left : int(np.ceil((x + w + margin) * size))] = True
    return mask

"""What fills the place of an object that is taken away, by name."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from stages.dataset import background
from stages.dataset.cutouts import Scene
from stages.inpaint import simple
from stages.inpaint.simple import Filler

RING = 31  # pixels: what lies so far around a hole tells its light …
LIKE = 0.2  # … but not what differs by more than this from the whole picture's light: another object …
GLOW = 9  # … nor what lies so near to such a thing that it has its colour
DARK = 1e-3  # of the light: no part of the bin is darker
FAR = 0.03  # of the width: how far light is carried into a hole
FAINT = 1e-6  # weight of the whole picture's light, which is all that counts farther in


def filler(name: str, found: list[Scene]) -> Filler:
    """The one of this name; `found` are the images that it may learn the bin from."""
    return SIMPLE[name](found)


def median(found: list[Scene]) -> Filler:
    """Fills with the median of these images' empty bin, in the light around the hole."""
    shapes = {scene.pixels.shape for scene in found}
    bins = {
        shape: background.seen([scene for scene in found if scene.pixels.shape == shape]).middle for shape in shapes
    }
    return lambda image, hole: _in_light(image, hole, bins[image.shape])


SIMPLE: dict[str, Callable[[list[Scene]], Filler]] = {
    "median": median,
    "telea": lambda _: simple.telea,
    "ns": lambda _: simple.navier_stokes,
}


def _in_light(image: np.ndarray, hole: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """The empty bin in the hole, as bright in each colour as it is around: light falls off across a bin."""
    empty = empty.clip(DARK)
    usual = np.median(image[~hole] / empty[~hole], axis=0)
    other = ~hole & (np.abs(image / empty / usual - 1) > LIKE).any(-1)
    around = _wider(hole, RING) & ~hole & ~_wider(other, GLOW)
    weights = around[..., None].astype(np.float32)
    ours, theirs = (cv2.GaussianBlur(of * weights, (0, 0), FAR * hole.shape[1]) for of in (image, empty))
    lit = empty * (ours + FAINT * usual) / (theirs + FAINT)
    return np.where(hole[..., None], lit.clip(0, 255).round(), image).astype(np.uint8)


def _wider(mask: np.ndarray, window: int) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), np.ones((window, window), np.uint8)).astype(bool)

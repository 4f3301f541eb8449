"""The shadow that objects throw in a photograph: how dark, and which way it falls."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np

from stages.extract import empty_bin
from stages.extract.cutouts import SegmentedImage

WIDTH = 160  # pixels across, at which it is measured: shadows are soft
SOFT = 0.006  # of the width, over which a shadow fades
FAR, STEP = 0.036, 0.006  # of the width: how far it may fall, and in which steps that is told
DARKEST = 0.7  # of the light that a shadow may take
NEAR = 2  # pixels at WIDTH around objects that may still show them


@dataclass(frozen=True)
class Shadow:
    """One photograph's."""

    dark: float  # share of the light that is missing beside an object, where most
    across: float  # of the width, by which it falls to the right …
    down: float  # … and down


def of(scene: SegmentedImage, bare: np.ndarray) -> Shadow:
    """Return the shadow that fits best what a photograph shows beside its objects, against its empty bin (`bare`, in
    shares of the light)."""
    if not scene.covered.any():
        return Shadow(0.0, 0.0, 0.0)
    height, width = scene.covered.shape
    size = WIDTH, max(1, round(WIDTH * height / width))
    lit = cv2.resize((scene.pixels / empty_bin.light(scene)).mean(-1).astype(np.float32), size)
    missing = 1 - lit / cv2.resize(bare.mean(-1).astype(np.float32), size).clip(0.01)
    cover = cv2.resize(scene.covered.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(cover, (0, 0), SOFT * WIDTH)
    reach = 2 * round((FAR + 3 * SOFT) * WIDTH) + 1
    beside = (_wider(cover, reach) > 0) & (_wider(cover, 2 * NEAR + 1) == 0)
    missing = missing[beside] - np.median(missing[beside])  # a floor may be lighter at one end
    steps = np.arange(-FAR, FAR + STEP / 2, STEP)
    best, found = 0.0, Shadow(0.0, 0.0, 0.0)
    for across, down in product(steps, steps):
        fallen = moved(soft, across * WIDTH, down * WIDTH)[beside]
        fallen -= fallen.mean()
        both, alone = float((fallen * missing).sum()), float((fallen**2).sum()) + 1e-6
        if both > 0 and both**2 / alone > best:
            best = both**2 / alone
            found = Shadow(min(both / alone, DARKEST), float(across), float(down))
    return found


def _wider(cover: np.ndarray, window: int) -> np.ndarray:
    return cv2.dilate(cover, np.ones((window, window), np.uint8))


def moved(picture: np.ndarray, across: float, down: float) -> np.ndarray:
    """Return a picture moved by so many pixels; nothing comes in."""
    matrix = np.array([[1, 0, across], [0, 1, down]], np.float32)
    return cv2.warpAffine(picture, matrix, picture.shape[1::-1])

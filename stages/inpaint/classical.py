"""Fillers that have learnt nothing: what grows into a hole from its edge. The learned ones have to beat them."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

Filler = Callable[[np.ndarray, np.ndarray], np.ndarray]  # uint8 RGB, bool mask of the hole → uint8 RGB

RADIUS = 5  # pixels around each one that it is made of


def telea(image: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Fill a hole by Telea 2004: from the edge inwards, each pixel a mean of known ones near it."""
    return cv2.inpaint(image, hole.astype(np.uint8), RADIUS, cv2.INPAINT_TELEA)


def navier_stokes(image: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Fill a hole by Bertalmio, Bertozzi and Sapiro 2001: lines of equal brightness go on as a fluid would."""
    return cv2.inpaint(image, hole.astype(np.uint8), RADIUS, cv2.INPAINT_NS)

"""Boxes as x, y, width, height."""

from __future__ import annotations

import numpy as np
from pycocotools import mask as rle


def overlaps(a: np.ndarray, b: np.ndarray, crowd: np.ndarray | None = None) -> np.ndarray:
    """Return how much every box of `a` (n, 4) overlaps every box of `b` (m, 4): intersection over union, (n, m).

    Where `b` is a crowd, a's own area stands in the union's place.
    """
    crowd = np.zeros(len(b), bool) if crowd is None else crowd
    if not len(a) or not len(b):
        return np.zeros((len(a), len(b)))
    return np.array(rle.iou(np.asarray(a, float), np.asarray(b, float), crowd.astype(np.uint8)))


def mirrored(boxes: np.ndarray, across: bool, down: bool) -> np.ndarray:
    """Return boxes (n, 4), in shares of a picture, as they lie in the picture mirrored across or down."""
    x, y, w, h = boxes.T
    return np.stack([1 - x - w if across else x, 1 - y - h if down else y, w, h], 1)


def within(boxes: np.ndarray) -> np.ndarray:
    """Return boxes (n, 4), in shares of a picture, as far as they are in it."""
    corner = np.clip(boxes[:, :2], 0, 1)
    return np.concatenate([corner, np.clip(boxes[:, :2] + boxes[:, 2:], 0, 1) - corner], 1)


def pixels(box: tuple[float, ...], width: int, height: int) -> tuple[slice, slice]:
    """Return a box's rows and columns, as far as they are in a picture of this size; none of one that lies beside
    it."""
    x, y, w, h = (round(v) for v in box)
    rows, columns = ((max(start, 0), max(start + side, 0)) for start, side in ((y, h), (x, w)))
    return slice(*(min(v, height) for v in rows)), slice(*(min(v, width) for v in columns))

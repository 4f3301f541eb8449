"""Drawing boxes and their names on pictures, and laying pictures out in a sheet."""

from __future__ import annotations

import cv2
import numpy as np

TRUTH, SURE, WRONG = (255, 255, 255), (86, 180, 233), (230, 159, 0)  # told apart without colour vision


def box(pixels: np.ndarray, xywh: tuple[float, ...], colour: tuple[int, int, int], name: str = "") -> None:
    """Draw one box (x, y, width, height) in place, with its name at the upper left corner."""
    left, top, w, h = xywh
    thick = max(1, round(pixels.shape[1] / 400))
    beside = [-9 * thick] * 2, [side + 9 * thick for side in pixels.shape[1::-1]]  # OpenCV takes no larger numbers
    (x, y), corner = np.clip(np.round([(left, top), (left + w, top + h)]), *beside).astype(int).tolist()
    cv2.rectangle(pixels, (x, y), corner, colour, thick, cv2.LINE_AA)
    if name:
        size = max(0.34, pixels.shape[1] / 1500)
        (tw, th), _ = cv2.getTextSize(name, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
        top = max(y - th - 4, 0)
        cv2.rectangle(pixels, (x, top), (x + tw + 4, top + th + 5), colour, -1)
        cv2.putText(pixels, name, (x + 2, top + th + 2), cv2.FONT_HERSHEY_SIMPLEX, size, (20, 20, 20), 1, cv2.LINE_AA)


def printable(name: str, number: int) -> str:
    """Return a class's name as far as OpenCV's letters go, or else its number."""
    return name if name.isascii() and name.isprintable() else f"class {number}"


def named(pixels: np.ndarray, name: str, times: int = 2) -> np.ndarray:
    """Return a small picture, enlarged, with its name under it."""
    large = cv2.resize(pixels, None, fx=times, fy=times, interpolation=cv2.INTER_LINEAR)
    tile = cv2.copyMakeBorder(large, 0, 16, 0, 0, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    cv2.putText(tile, name, (2, len(tile) - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (20, 20, 20), 1, cv2.LINE_AA)
    return tile


def sheet(pictures: list[np.ndarray], columns: int, gap: int = 6) -> np.ndarray:
    """Return all pictures, padded to the size of the largest, in rows of `columns` on white."""
    height, width = max(p.shape[0] for p in pictures), max(p.shape[1] for p in pictures)
    rows = -(-len(pictures) // columns)
    canvas = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for number, pixels in enumerate(pictures):
        top, left = number // columns * (height + gap), number % columns * (width + gap)
        canvas[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return canvas

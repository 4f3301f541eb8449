"""The printed skin of each product, drawn once: along the axis from left to right, around it from top to bottom.

The front is a quarter of the way down, the back three quarters: an object shows one half of its skin at a time.
"""

from __future__ import annotations

from functools import lru_cache
from zlib import crc32

import cv2
import numpy as np

from stages.dataset.bins.catalog import PRODUCTS, SHAPES, STEEL, Colour, Product

DRAWN = 768  # pixels of the skin's length when drawn; then reduced to what the photograph can show


@lru_cache(maxsize=64)
def skin(name: str, width: int) -> np.ndarray:
    """Return the skin of product `name` for photographs `width` pixels wide: RGB in 0…1, rows around it, columns along
    it."""
    product = PRODUCTS[name]
    around = round(2 * np.pi * product.radius / product.length * DRAWN)
    image = np.empty((around, DRAWN, 3), np.uint8)
    image[:] = product.base
    cap = round(SHAPES[product.shape].cap * DRAWN)
    _pattern(image, product, cap)
    _front(image, product, cap)
    _back(image, product, cap)
    _closures(image, product, cap)
    # A little finer than the photograph's pixels, so that print stays crisp and does not alias.
    length = max(16, round(1.25 * product.length * width))
    small = cv2.resize(image, (length, max(16, round(length * around / DRAWN))), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / 255


def _pattern(image: np.ndarray, product: Product, cap: int) -> None:
    rows, cols = image.shape[:2]
    rng = np.random.default_rng(crc32(product.name.encode()))
    start, end = int(cap + 0.08 * cols), int(0.95 * cols)
    if product.pattern == "stripe":
        for at in (0.02, 0.055, 0.8, 0.83, 0.86):
            x = int(start + at * (end - start) / 0.9)
            cv2.rectangle(image, (x, 0), (x + cols // 60, rows), product.band, -1)
    elif product.pattern == "ring":
        cv2.rectangle(image, (int(end - 0.2 * cols), 0), (int(end - 0.04 * cols), rows), product.band, -1)
        for k in range(6):
            centre = (int(end - 0.12 * cols), int((k + 0.5) * rows / 6))
            cv2.circle(image, centre, rows // 22, product.base, -1, cv2.LINE_AA)
    elif product.pattern == "dots":
        for _ in range(70):
            centre = (int(rng.integers(int(0.66 * cols), end)), int(rng.integers(0, rows)))
            cv2.circle(image, centre, int(rng.integers(6, 18)), product.band, -1, cv2.LINE_AA)
    elif product.pattern == "wave":
        y = np.arange(rows)
        edge = 0.72 * cols + 0.07 * cols * np.sin(4 * np.pi * y / rows) + 0.03 * cols * np.sin(10 * np.pi * y / rows)
        image[np.arange(cols)[None] > edge[:, None]] = product.band
        image[np.abs(np.arange(cols)[None] - edge[:, None] + 0.05 * cols) < 0.008 * cols] = product.band
    elif product.pattern == "leaf":
        for k in range(14):
            centre = (int(rng.integers(int(0.7 * cols), end)), int((k + rng.random()) * rows / 14))
            axes = (int(rng.integers(26, 60)), int(rng.integers(9, 18)))
            cv2.ellipse(image, centre, axes, int(rng.integers(0, 180)), 0, 360, product.band, -1, cv2.LINE_AA)
    elif product.pattern == "drop":
        cv2.rectangle(image, (int(0.8 * cols), 0), (int(0.84 * cols), rows), product.band, -1)
        for k in range(8):
            at = (int(0.71 * cols + 0.05 * cols * (k % 2)), int((k + 0.5) * rows / 8))
            cv2.circle(image, at, 15, product.band, -1, cv2.LINE_AA)
            tip = np.array([(at[0] + 8, at[1] - 11), (at[0] + 8, at[1] + 11), (at[0] + 34, at[1])])
            cv2.fillConvexPoly(image, tip, product.band, cv2.LINE_AA)


def _front(image: np.ndarray, product: Product, cap: int) -> None:
    """Paint the brand on a field of its own, with a line under it."""
    rows, cols = image.shape[:2]
    middle, left = rows // 4, int(cap + 0.14 * cols)
    right = int(0.68 * cols)
    field = (
        product.band if _contrast(product.band, product.ink) > _contrast(product.base, product.ink) else product.base
    )
    half = int(0.15 * rows)
    cv2.rectangle(image, (left, middle - half), (right, middle + half), field, -1)
    cv2.rectangle(image, (left, middle - half), (right, middle + half), product.ink, 3, cv2.LINE_AA)
    font = cv2.FONT_HERSHEY_DUPLEX if product.brand.isupper() else cv2.FONT_HERSHEY_TRIPLEX
    (w, h), _ = cv2.getTextSize(product.brand, font, 1, 2)
    size = min((right - left) * 0.86 / w, 1.15 * half / h)
    at = (int((left + right - w * size) / 2), int(middle + 0.2 * half))
    cv2.putText(image, product.brand, at, font, size, product.ink, max(2, int(2.4 * size)), cv2.LINE_AA)
    for k, reach in enumerate((0.8, 0.55)):
        y = int(middle + (0.48 + 0.22 * k) * half)
        cv2.line(image, (left + 20, y), (int(left + 20 + reach * (right - left - 40)), y), product.ink, 5)


def _back(image: np.ndarray, product: Product, cap: int) -> None:
    """Draw the small print: a block of lines, a barcode."""
    rows, cols = image.shape[:2]
    rng = np.random.default_rng(crc32(product.name.encode()) + 1)
    top, bottom, left = int(0.62 * rows), int(0.88 * rows), int(cap + 0.13 * cols)
    for y in range(top, bottom, 15):
        reach = int((0.24 + 0.07 * rng.random()) * cols)
        cv2.line(image, (left, y), (left + reach, y), product.ink, 5)
    code = int(left + 0.36 * cols)
    high = int(0.66 * rows), int(0.84 * rows)
    cv2.rectangle(image, (code - 10, high[0] - 10), (code + 150, high[1] + 10), (250, 250, 250), -1)
    x = code
    while x < code + 140:
        bar = int(rng.integers(3, 11))
        cv2.rectangle(image, (x, high[0]), (x + bar, high[1]), (20, 20, 20), -1)
        x += bar + int(rng.integers(4, 10))


def _closures(image: np.ndarray, product: Product, cap: int) -> None:
    """Paint the ribbed cap, the metal rims of a can, the crimped end of a tube."""
    rows, cols = image.shape[:2]
    shape = SHAPES[product.shape]
    if cap:
        image[:, :cap] = product.cap
        for y in range(0, rows, max(10, rows // 48)):
            shade = tuple(int(0.8 * c) for c in product.cap)
            cv2.line(image, (int(0.25 * cap), y), (int(0.92 * cap), y), shade, 4)
        cv2.line(image, (cap, 0), (cap, rows), tuple(int(0.6 * c) for c in product.cap), 5)
    if shape.metal_ends:
        for a, b in ((0, 0.055), (0.945, 1)):
            image[:, int(a * cols) : int(b * cols)] = STEEL
    if product.name.startswith("tube"):
        image[:, int(0.95 * cols) :] = [int(0.9 * c) for c in product.base]
        for x in range(int(0.955 * cols), cols, 8):
            image[:, x : x + 3] = [int(0.72 * c) for c in product.base]


def _contrast(a: Colour, b: Colour) -> int:
    return sum(abs(x - y) for x, y in zip(a, b, strict=True))

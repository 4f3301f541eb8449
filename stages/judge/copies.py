"""What still is a copy of an image: shifted, mirrored, lighter, blurred, noisy, badly compressed."""

from __future__ import annotations

import cv2
import numpy as np

BLUR = 1.2  # pixels of a picture of 64
LITTLE = 0.5  # … after which an object still cannot be taken for a transparent one


def copies(pixels: np.ndarray, count: int, shift: float, rng: np.random.Generator, blur: float = BLUR) -> np.ndarray:
    """Return `count` copies of one picture (size, size, 3; uint8), each changed in several ways at once."""
    return np.stack([_copy(pixels, shift, rng, blur) for _ in range(count)])


def _copy(pixels: np.ndarray, shift: float, rng: np.random.Generator, blur: float) -> np.ndarray:
    size = pixels.shape[0]
    made = pixels
    if rng.random() < 0.5:
        made = made[:, ::-1]
    if rng.random() < 0.25:
        made = made[::-1]
    dx, dy = rng.integers(-round(size * shift), round(size * shift) + 1, 2) * (rng.random() < 0.5)
    moved = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    made = cv2.warpAffine(np.ascontiguousarray(made), moved, (size, size), borderMode=cv2.BORDER_REPLICATE)
    return worn(made, rng, blur)


def worn(pixels: np.ndarray, rng: np.random.Generator, blur: float) -> np.ndarray:
    """Return a picture blurred, lighter or darker, noisy and badly compressed."""
    made = cv2.GaussianBlur(pixels.astype(np.float64), (0, 0), rng.uniform(0.2, blur) * len(pixels) / 64)
    made = (made - made.mean()) * rng.uniform(0.8, 1.2) + made.mean() + rng.uniform(-25, 25)
    made += rng.normal(0, rng.uniform(0, 12), made.shape)
    made = made.round().clip(0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", made[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 96))])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None  # what was just encoded
    return decoded[..., ::-1]

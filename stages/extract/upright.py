"""Cut-outs turned upright: the main axis of an object's mask stands, and all objects of a class point the same way.

The mask's second moments give the axis. Which end is up they cannot say: the first moments of colour along the axis
(which end is redder, greener, bluer than the object's mean) and the outline's third moment (which end is thinner) turn
round with the object. So each object gets these four numbers, and is turned so that they agree with what most objects
of its class have in common, the first principal direction.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from stages.extract.placeable import CutOut, whole

EDGE = 2  # pixels left free around an object


@dataclass(frozen=True)
class Upright:
    """One whole object, standing."""

    image: str  # in which it lay
    category: int
    pixels: np.ndarray  # (h, w, 3) float32: what was around it is still there
    mask: np.ndarray  # (h, w) float32, 0…1


def upright(units: list[CutOut]) -> list[Upright]:
    """Return the whole objects among the units, turned upright."""
    objects = whole(units)
    turns = [_turn(one.pixels, one.masks[0]) for one in objects]
    categories = [one.categories[0] for one in objects]
    signs = np.ones(len(objects))
    for category in set(categories):
        mine = [k for k, other in enumerate(categories) if other == category]
        signs[mine] = _agreed(np.stack([turns[k][1] for k in mine]))
    return [
        Upright(one.image, category, *_stood(one.pixels, one.masks[0], angle + (180 if sign < 0 else 0)))
        for one, category, (angle, _), sign in zip(objects, categories, turns, signs, strict=True)
    ]


def _turn(pixels: np.ndarray, mask: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the degrees that make an object's main axis stand, and the moments along it that tell its ends apart."""
    ys, xs = np.nonzero(mask)
    points = np.stack([xs, ys], 1) - (xs.mean(), ys.mean())
    _, axes = np.linalg.eigh(points.T @ points)
    down = axes[:, 1] if axes[1, 1] >= 0 else -axes[:, 1]  # as it lies, the end that is lower in the picture
    along = points @ down
    along /= along.std()
    colours = pixels[ys, xs] / 255.0
    moments = [*(along[:, None] * (colours - colours.mean(0))).mean(0), (along**3).mean()]
    return float(np.degrees(np.arctan2(-down[0], down[1]))), np.array(moments)


def _agreed(moments: np.ndarray) -> np.ndarray:
    """Return the sign of each object that makes its moments point the same way as the others'."""
    scaled = moments / (np.sqrt((moments**2).mean(0)) + 1e-9)
    common = np.linalg.svd(scaled, full_matrices=False)[2][0]
    common *= np.sign(common[np.abs(common).argmax()])  # a principal direction has no sign of its own
    return np.where(scaled @ common < 0, -1, 1)


def _stood(pixels: np.ndarray, mask: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels and mask turned by `angle` degrees and cut to the mask."""
    h, w = mask.shape
    side = int(np.ceil(np.hypot(h, w))) + 2 * EDGE
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), angle, 1)
    turn[:, 2] += side / 2 - w / 2, side / 2 - h / 2
    picture = cv2.warpAffine(
        pixels.astype(np.float32), turn, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    shape = cv2.warpAffine(mask.astype(np.float32), turn, (side, side), flags=cv2.INTER_LINEAR)
    ys, xs = np.nonzero(shape > 0.5)
    part = slice(ys.min() - EDGE, ys.max() + 1 + EDGE), slice(xs.min() - EDGE, xs.max() + 1 + EDGE)
    return picture[part].clip(0, 255), shape[part]

"""What hides parts of a picture: functions from a frame and a chance to a mask, which can be put together.

AmbientGAN (Bora, Price and Dimakis 2018) calls them measurement functions. Here they say where the holes are that a
network learns to fill, and, for the one that never sees a complete image, what its camera could not see.
All sizes are shares of the frame's shorter side, so that a function serves a window and a whole photograph alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

LEAST, MOST = 0.2, 0.5  # of a block's sides, and of an object's longer side
PATCH = 1 / 8  # side of a patch that is dropped …
DROPPED = 0.2  # … and the share of all that are


class HoleMaker(Protocol):
    def __call__(self, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        """Return a mask (height, width) of what is hidden in a frame: something, but not everything."""
        ...


@dataclass(frozen=True)
class Block:
    """Hides a rectangle."""

    def __call__(self, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        high, wide = (max(1, round(side)) for side in rng.uniform(LEAST, MOST, 2) * min(shape))
        top, left = _place((high, wide), shape, rng)
        hidden = np.zeros(shape, bool)
        hidden[top : top + high, left : left + wide] = True
        return hidden


@dataclass(frozen=True)
class Drop:
    """Hides small squares of a grid, each by chance; one at least."""

    def __call__(self, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        side = max(1, round(PATCH * min(shape)))
        rows, columns = (-(-length // side) for length in shape)
        lost = rng.random((rows, columns))
        lost = lost <= max(DROPPED, lost.min())
        return lost.repeat(side, 0).repeat(side, 1)[: shape[0], : shape[1]]


@dataclass(frozen=True)
class ObjectShape:
    """Hides the silhouette of an object, turned, anywhere: what the bin itself does when one thing lies on another."""

    silhouettes: Sequence[np.ndarray]  # (h, w) bool each, no larger than the object

    def __call__(self, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        mask = self.silhouettes[int(rng.integers(len(self.silhouettes)))]
        h, w = mask.shape
        turn = cv2.getRotationMatrix2D(((w - 1) / 2, (h - 1) / 2), rng.uniform(0, 360), 1)
        cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
        box = np.array([h * cos + w * sin, h * sin + w * cos])  # height and width of the turned silhouette
        scale = rng.uniform(LEAST, MOST) * min(shape) / box.max()
        size = np.maximum(1, np.ceil(box * scale)).astype(int)
        top, left = _place(size, shape, rng)
        turn *= scale
        turn[:, 2] += (left + (size[1] - 1) / 2, top + (size[0] - 1) / 2)
        turn[:, 2] -= scale * np.array([(w - 1) / 2, (h - 1) / 2])
        hidden = cv2.warpAffine(mask.astype(np.uint8) * 255, turn, shape[::-1], flags=cv2.INTER_LINEAR) > 127
        hidden[top + size[0] // 2, left + size[1] // 2] = True  # the thinnest of them, very small, would be nothing
        return hidden


@dataclass(frozen=True)
class OneOf:
    """Hides what one of several hole makers does, each time another by chance."""

    measures: Sequence[HoleMaker]

    def __call__(self, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        return self.measures[int(rng.integers(len(self.measures)))](shape, rng)


@dataclass(frozen=True)
class Together:
    """Hides what any of several hole makers does."""

    measures: Sequence[HoleMaker]

    def __call__(self, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        return np.any([measure(shape, rng) for measure in self.measures], axis=0)


def one_of(names: Iterable[str], silhouettes: Sequence[np.ndarray]) -> OneOf:
    """Return the holes that an experiment asks for: each time one of some kinds."""
    known = {"block": Block(), "drop": Drop(), "objects": ObjectShape(silhouettes)}
    return OneOf([known[name] for name in names])


def _place(size: Sequence[int], shape: tuple[int, int], rng: np.random.Generator) -> tuple[int, int]:
    """Return top and left of something of this size, anywhere inside the frame."""
    return int(rng.integers(shape[0] - size[0] + 1)), int(rng.integers(shape[1] - size[1] + 1))

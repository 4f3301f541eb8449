"""A bin's floor is nearly of one grey. Networks see its contrast stretched, and painting takes that back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SPREAD = 3.0  # standard deviations on either side of the mean become all of a channel's range


@dataclass(frozen=True)
class Contrast:
    """What the middle and the ends of a network's channels stand for."""

    middle: list[float]
    reach: list[float]

    @classmethod
    def of(cls, squares: np.ndarray) -> Contrast:
        """Return the contrast of some pictures (n, h, w, 3)."""
        reach = SPREAD * squares.std((0, 1, 2)) + 1e-3
        return cls(squares.mean((0, 1, 2)).tolist(), reach.tolist())

    def stretched(self, pixels: np.ndarray) -> np.ndarray:
        """Return pictures (uint8) stretched over all of the range."""
        return ((pixels - np.array(self.middle)) / self.reach * 127.5 + 127.5).clip(0, 255).round().astype(np.uint8)

    def natural(self, pixels: np.ndarray) -> np.ndarray:
        """Return stretched pictures in their own contrast again, changed in place."""
        steps = (np.arange(256) - 127.5) / 127.5
        for channel, (middle, reach) in enumerate(zip(self.middle, self.reach, strict=True)):
            table = (middle + reach * steps).clip(0, 255).round().astype(np.uint8)
            pixels[..., channel] = table[pixels[..., channel]]
        return pixels

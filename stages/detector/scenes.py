"""What a detector saw in an image, beside what is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class DetectedScene:
    """One test image: what is there and what was detected; boxes as x, y, width, height in pixels."""

    image: int
    width: int
    height: int
    boxes: np.ndarray  # (n, 4)
    classes: np.ndarray  # (n,) class numbers
    crowd: np.ndarray  # (n,) whether the box holds a crowd, which is neither hit nor missed
    detections: np.ndarray  # (m, 6): box, confidence, class number

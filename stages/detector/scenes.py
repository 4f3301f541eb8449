"""What a detector saw in an image, beside what is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stages.dataset import coco


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


def scene_of(
    image: coco.Image, there: list[coco.Annotation], numbers: dict[int, int], seen: np.ndarray
) -> DetectedScene:
    """Return an image of a dataset beside what a detector answers, in shares of it; `numbers`: of categories' ids."""
    sides = (image.width, image.height, image.width, image.height)
    return DetectedScene(
        image.id, image.width, image.height,
        np.array([a.bbox for a in there], float).reshape(-1, 4),
        np.array([numbers[a.category_id] for a in there], int),
        np.array([bool(a.iscrowd) for a in there], bool),
        seen * (*sides, 1, 1),
    )  # fmt: skip

"""A photograph with what a detector saw in it."""

from __future__ import annotations

import numpy as np

from stages import drawing
from stages.boxes import overlaps
from stages.dataset import photo
from stages.detector.scenes import DetectedScene
from stages.settings import Testing


def marked(pixels: np.ndarray, width: int, scene: DetectedScene, names: list[str], testing: Testing) -> np.ndarray:
    """Return the photograph at a width. White: objects that are there. Blue: what was detected, with its certainty.
    Orange: wrong class or place."""
    small = photo.fit(pixels, width)
    ratio = small.shape[1] / scene.width
    for box in scene.boxes:
        drawing.box(small, tuple(box * ratio), drawing.TRUTH)
    for seen in scene.detections[scene.detections[:, 4] >= testing.confidence]:
        same = scene.classes == seen[5]
        right = overlaps(seen[None, :4], scene.boxes[same]).max(initial=0) >= testing.iou
        label = f"{drawing.printable(names[int(seen[5])], int(seen[5]))} {100 * seen[4]:.0f}"
        drawing.box(small, tuple(seen[:4] * ratio), drawing.SURE if right else drawing.WRONG, label)
    return small

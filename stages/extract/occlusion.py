"""Which object lies on which, told by outlines alone: a photograph from above has no depth.

An object that hides another bulges into it: its contour goes on where they meet. What is hidden has lost a piece, so
its convex hull reaches into what lies on it, and it is less whole: smaller than others of its class, less convex.
`benchmarks/deconstruct.py` says how often this is right, and that a detector's confidence says less.
"""

from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np

from stages.extract.cutouts import EDGE, NEAR, SegmentedImage

WHOLE = 75  # percentile of a class's areas that a whole object has: hiding only takes away
WEIGHT = 0.5  # of what is missing anywhere, beside what is missing where two objects meet


def usual_areas(found: list[SegmentedImage]) -> dict[int, float]:
    """Return, for each category, the area of an object that nothing hides."""
    areas: dict[int, list[int]] = {}
    for scene in found:
        for category, mask in zip(scene.categories, scene.masks, strict=True):
            areas.setdefault(category, []).append(int(mask.sum()))
    return {category: float(np.percentile(of, WHOLE)) for category, of in areas.items()}


def lacks(scene: SegmentedImage, usual: dict[int, float]) -> np.ndarray:
    """Return what share each object (k,) lacks: of its hull, and of its class's area unless the frame may have cut it
    off."""
    found = []
    for category, mask in zip(scene.categories, scene.masks, strict=True):
        area = int(mask.sum())
        found.append(1 - area / _hull(mask).sum() + (0.0 if at_edge(mask) else max(0.0, 1 - area / usual[category])))
    return np.array(found)


def over(scene: SegmentedImage, usual: dict[int, float]) -> np.ndarray:
    """Return (k, k; bool) whether the one object (row) lies on the other (column). Only objects that touch do."""
    count, close = len(scene.masks), near(scene.masks)
    hulls, missing = [_hull(mask) for mask in scene.masks], lacks(scene, usual)
    found = np.zeros((count, count), bool)
    for a, b in combinations(range(count), 2):
        if close[a, b]:
            lost = [(hulls[one] & scene.masks[other]).sum() / usual[scene.categories[one]] + WEIGHT * missing[one]
                    for one, other in ((a, b), (b, a))]  # fmt: skip
            upper, lower = (a, b) if lost[0] <= lost[1] else (b, a)
            found[upper, lower] = True
    return found


def near(masks: np.ndarray) -> np.ndarray:
    """Return (k, k; bool) which objects of a photograph touch which."""
    kernel = np.ones((2 * NEAR + 1,) * 2, np.uint8)
    wide = [cv2.dilate(mask.astype(np.uint8), kernel).astype(bool) for mask in masks]
    found = np.zeros((len(masks),) * 2, bool)
    for a in range(len(masks)):
        for b in range(a):
            found[a, b] = found[b, a] = bool((wide[a] & masks[b]).any())
    return found


def at_edge(mask: np.ndarray) -> bool:
    """Return whether the frame may have cut an object off."""
    return bool(mask[:EDGE].any() or mask[-EDGE:].any() or mask[:, :EDGE].any() or mask[:, -EDGE:].any())


def free(on: np.ndarray, left: list[int]) -> list[int]:
    """Return the objects left on which no other lies; all, where the outlines contradict each other."""
    return [k for k in left if not on[left, k].any()] or left


def _hull(mask: np.ndarray) -> np.ndarray:
    hull = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(cv2.findNonZero(mask.astype(np.uint8))), 1)
    return hull.astype(bool)

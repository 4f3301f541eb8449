"""What can be placed anew: whole objects by themselves, and groups of objects that hide parts of each other.

An object that lies partly under another one is only a fragment. Placed alone it would teach a detector that fragments
are whole, so it is placed with what lies on it, as one unit in which it is hidden as it was. What lies on others is
whole, and a unit of its own, too.

A camera that looks down sees what stands upright lean away from the picture's middle. So what may stand keeps where it
was from there: elsewhere it would lean otherwise.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.sparse.csgraph import connected_components

from stages.extract import cutouts, occlusion
from stages.extract.cutouts import EDGE, SegmentedImage
from stages.problem import Problem

FRAGMENT = 0.5  # of the usual area of its class: of an object that touches others or the frame, less is not all …
SPECK = 0.2  # … and of one that lies apart less is a slip: what stands upright shows a third of what it does lying
ROUND = 0.8  # of its length: what is as broad shows no direction
LEANS = 15  # degrees between an object's axis and the way to the picture's middle, if it leans
SIDES = ("top", "bottom", "left", "right")


@dataclass(frozen=True)
class CutOut:
    """One object, or several that lie on each other, as they are in one image."""

    image: str
    pixels: np.ndarray  # (h, w, 3) uint8: the part of the image around it
    masks: np.ndarray  # (k, h, w) bool: what is visible of each object
    categories: tuple[int, ...]  # COCO's ids
    cut: tuple[str, ...]  # how each outline was found: mask or grabcut
    sides: tuple[str, ...] = ()  # of the frame, beyond which it goes on
    away: tuple[float, float] = (0.0, 0.0)  # pixels right of and below its picture's middle
    may_stand: bool = False  # upright, leaning away from there


def units(found: list[SegmentedImage]) -> tuple[list[CutOut], Counter]:
    """Return what can be placed anew, and how many objects can't for which reason."""
    usual = _whole_areas(found)
    made, left_out = [], Counter()
    for scene in found:
        on = occlusion.over(scene, usual)
        count, labels = connected_components(occlusion.near(scene.masks), directed=False)
        for group in (np.flatnonzero(labels == one).tolist() for one in range(count)):
            free = [k for k in group if not on[group, k].any()] if len(group) > 1 else group
            for k in free:
                one = _unit(scene, [k])
                apart = len(group) == 1 and not one.sides
                if one.masks.sum() >= (SPECK if apart else FRAGMENT) * usual[scene.categories[k]]:
                    made.append(one)
                else:
                    left_out["cut off by the frame" if one.sides else "fragment"] += 1
            if len(group) > len(free):
                made.append(_unit(scene, group))
    return made, left_out


def usable(subset: Path) -> tuple[list[SegmentedImage], list[CutOut], Counter]:
    """Return scenes and units of a subset; raise a Problem where nothing can be placed."""
    found, empty = cutouts.scenes(subset)
    made, left_out = units(found)
    reasons = empty + left_out
    if not made:
        listed = ", ".join(f"{count} × {reason}" for reason, count in reasons.most_common()) or "it has none"
        raise Problem(f"{subset}: none of its objects can be cut out whole ({listed}); composing needs one")
    return found, made, reasons


def whole(units: list[CutOut]) -> list[CutOut]:
    """Return the units that are one object, all of which is seen."""
    return [unit for unit in units if len(unit.masks) == 1 and not unit.sides]


def _whole_areas(found: list[SegmentedImage]) -> dict[int, float]:
    """Return the middle area of each class's objects that lie alone and whole; of all, where none does."""
    alone: dict[int, list[int]] = {}
    for scene in found:
        lonely = ~np.any(occlusion.near(scene.masks), axis=1)
        for category, mask, lone in zip(scene.categories, scene.masks, lonely, strict=True):
            if lone and not occlusion.at_edge(mask):
                alone.setdefault(category, []).append(int(mask.sum()))
    return occlusion.usual_areas(found) | {category: float(np.median(areas)) for category, areas in alone.items()}


def _unit(scene: SegmentedImage, group: list[int]) -> CutOut:
    shape = np.any(scene.masks[group], axis=0)
    ys, xs = np.nonzero(shape)
    part = slice(ys.min(), ys.max() + 1), slice(xs.min(), xs.max() + 1)
    reached = shape[:EDGE].any(), shape[-EDGE:].any(), shape[:, :EDGE].any(), shape[:, -EDGE:].any()
    top, left = ((of.start + of.stop - side) / 2 for of, side in zip(part, shape.shape, strict=True))
    return CutOut(
        scene.name, scene.pixels[part], scene.masks[group][:, *part],
        tuple(scene.categories[k] for k in group), tuple(scene.cut[k] for k in group),
        tuple(side for side, there in zip(SIDES, reached, strict=True) if there),
        (left, top), any(may_stand(scene.masks[k]) for k in group),
    )  # fmt: skip


def may_stand(mask: np.ndarray) -> bool:
    """Return whether an object (its mask in the whole picture) looks as what stands upright does from above: round, or
    leaning away from the picture's middle."""
    found = cv2.moments(mask.astype(np.uint8), binaryImage=True)
    spread = np.array([[found["mu20"], found["mu11"]], [found["mu11"], found["mu02"]]])
    (across, along), axes = np.linalg.eigh(spread)
    if across >= ROUND**2 * along:
        return True
    height, width = mask.shape
    x, y = found["m10"] / found["m00"] - width / 2, found["m01"] / found["m00"] - height / 2
    return bool(abs(axes[:, 1] @ (x, y)) >= np.cos(np.radians(LEANS)) * np.hypot(x, y))

"""What can be placed anew: whole objects by themselves, and groups of objects that hide parts of each other.

An object that lies partly under another one is only a fragment. Placed alone it would teach a detector that fragments
are whole, so it is placed with what lies on it, as one unit in which it is hidden as it was. What lies on others is
whole, and a unit of its own, too.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse.csgraph import connected_components

from stages.extract import cutouts, occlusion
from stages.extract.cutouts import EDGE, SegmentedImage
from stages.problem import Problem

FRAGMENT = 0.5  # of the usual area of its class: an object smaller than this is hidden by something unnamed
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
                if one.masks.sum() >= FRAGMENT * usual[scene.categories[k]]:
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
    return CutOut(
        scene.name, scene.pixels[part], scene.masks[group][:, *part],
        tuple(scene.categories[k] for k in group), tuple(scene.cut[k] for k in group),
        tuple(side for side, there in zip(SIDES, reached, strict=True) if there),
    )  # fmt: skip

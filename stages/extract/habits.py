"""How objects lie in photographs: how many, how close, how much of them is hidden, how often the frame cuts them.

Ten photographs of one product are too few to tell, and may have been chosen because their objects lie apart. Other
products' annotated photographs from the same station tell it better; where there are none, what is assumed is declared
here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stages.extract import occlusion
from stages.extract.cutouts import SegmentedImage

LEAST = (0.1, 0.5)  # the least share of an object that is seen of it: what is measured is kept between these
RISE = (1.0, 1.15)  # likewise of what lies on others: how much nearer to the camera it looks
FEW = 20  # objects that lie under others: fewer tell nothing of how much of such an object is hidden


@dataclass(frozen=True)
class Habits:
    """How objects lie."""

    counts: tuple[int, ...]  # objects of each photograph
    touching: float  # share of objects that touch another one
    hidden: tuple[float, ...]  # of objects that lie under others: the share that is hidden
    least: float  # the least share that is seen of any
    rise: float  # how much larger an object looks that lies on others
    cut: float  # share of objects that the frame cuts off


def of(found: list[SegmentedImage]) -> Habits:
    """Return how objects lie in photographs, and what is assumed where these are too few to tell."""
    usual = occlusion.usual_areas(found)
    objects = touching = cut = 0
    seen_under, sizes_alone, sizes_on = [], [], []
    for scene in found:
        alone = ~np.any(occlusion.near(scene.masks), axis=1)
        on = occlusion.over(scene, usual)
        at_edge = np.array([occlusion.at_edge(mask) for mask in scene.masks], bool)
        sizes = np.array([mask.sum() / usual[c] for mask, c in zip(scene.masks, scene.categories, strict=True)])
        objects, touching, cut = objects + len(alone), touching + int((~alone).sum()), cut + int(at_edge.sum())
        sizes_alone += sizes[alone & ~at_edge].tolist()
        sizes_on += sizes[on.any(1) & ~on.any(0) & ~at_edge].tolist()
        seen_under += sizes[on.any(0) & ~at_edge].tolist()
    counts = tuple(len(scene.masks) for scene in found if len(scene.masks))
    if len(seen_under) < FEW:
        return assumed(counts, cut / max(objects, 1))
    whole = float(np.median(sizes_alone)) if sizes_alone else 1.0
    shares = np.array(seen_under) / whole
    rise = float(np.sqrt(np.median(sizes_on) / whole)) if sizes_on else 1.0
    return Habits(
        counts, touching / objects, tuple(np.clip(1 - shares, 0, None).round(3).tolist()),
        float(np.clip(np.percentile(shares, 2), *LEAST)), float(np.clip(rise, *RISE)), cut / objects,
    )  # fmt: skip


def assumed(counts: tuple[int, ...], cut: float) -> Habits:
    """Return what is expected of a bin of which only a few photographs are known: it will be fuller than these."""
    fuller = range(1, 1 + max(2 * max(counts, default=1), 3))
    return Habits(
        (*(count for count in counts if count), *fuller),
        0.5,
        tuple(np.linspace(0, 0.6, 13).round(3).tolist()),
        0.3,
        1.03,
        cut,
    )

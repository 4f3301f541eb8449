"""Images with the outline of each of their objects: the annotations', or what GrabCut finds in a box."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.dataset import coco
from stages.extract import object_mask

NEAR = 3  # pixels: objects nearer than this may hide each other
EDGE = 1  # pixels from the frame's border: what reaches there goes on outside


@dataclass(frozen=True)
class SegmentedImage:
    """One image, with the mask of each of its objects."""

    name: str
    pixels: np.ndarray
    masks: np.ndarray  # (k, height, width) bool
    categories: list[int]
    cut: list[str]
    boxes: tuple[tuple[slice, slice], ...] = ()  # of objects whose outline had to be guessed
    unknown: tuple[tuple[slice, slice], ...] = ()  # where objects are that nobody told apart

    @property
    def covered(self) -> np.ndarray:
        return np.any(self.masks, axis=0)

    @property
    def hidden(self) -> np.ndarray:
        """Return where the background may be hidden: in all of a box whose object's outline was guessed, too, and
        wherever a crowd is."""
        found = self.covered
        for box in (*self.boxes, *self.unknown):
            found[box] = True
        return found

    @property
    def slack(self) -> list[float]:
        """Return by how many pixels, on each side, boxes are larger than what was found in them: down and across, for
        each object whose outline had to be guessed."""
        found = []
        for mask, box in zip(self.masks[[how == "grabcut" for how in self.cut]], self.boxes, strict=True):
            extent = [np.ptp(at) + 1 for at in np.nonzero(mask)]
            found += [(of.stop - of.start - size) / 2 for of, size in zip(box, extent, strict=True)]
        return found

    def place(self, k: int) -> np.ndarray:
        """Return where one object may be: in all of its box, if its outline was guessed."""
        found = self.masks[k].copy()
        if self.cut[k] == "grabcut":
            found[self.boxes[self.cut[:k].count("grabcut")]] = True
        return found


def scenes(subset: Path, most: int | None = None) -> tuple[list[SegmentedImage], Counter]:
    """Return the images of a subset, all or so many spread over them, and how many objects were left out for which
    reason."""
    dataset = coco.read(subset / "annotations.json")
    count = len(dataset.images)
    chosen = range(count) if most is None or count <= most else np.linspace(0, count - 1, most).round().astype(int)
    annotations, left_out, found = coco.by_image(dataset), Counter(), []
    for image in (dataset.images[k] for k in chosen):
        pixels = object_mask.load(image, subset / "images")
        masks, categories, cut, places, unknown = [], [], [], [], []
        for annotation in annotations[image.id]:
            if annotation.iscrowd:
                left_out["crowd"] += 1
                unknown.append(object_mask.place(annotation, image, pixels))
                continue
            mask, how = object_mask.outline(annotation, image, pixels)
            if not mask.any():
                left_out["empty mask"] += 1
                continue
            masks.append(mask)
            categories.append(annotation.category_id)
            cut.append(how)
            places.append(object_mask.place(annotation, image, pixels))
        seen = _visible(np.array(masks, bool).reshape(-1, *pixels.shape[:2]))
        kept = [k for k, mask in enumerate(seen) if mask.any()]
        left_out += Counter({"hidden altogether": len(masks) - len(kept)} if len(kept) < len(masks) else {})
        found.append(SegmentedImage(
            image.file_name, pixels, seen[kept], [categories[k] for k in kept], [cut[k] for k in kept],
            tuple(places[k] for k in kept if cut[k] == "grabcut"), tuple(unknown),
        ))  # fmt: skip
    return found, left_out


def _visible(masks: np.ndarray) -> np.ndarray:
    """Give each pixel that two annotations claim to the smaller one: a hidden object's mask often goes on."""
    order = np.argsort([mask.sum() for mask in masks], kind="stable")
    taken, seen = np.zeros(masks.shape[1:], bool), masks.copy()
    for k in order:
        seen[k] &= ~taken
        taken |= seen[k]
    return seen

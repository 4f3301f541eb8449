"""Outlines of objects that are annotated by their boxes alone, so that a detector can learn from pictures turned to any
angle: the box of a turned outline fits the object, the box of a turned box is up to twice as large."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from stages.dataset import coco, segmentation
from stages.extract import object_mask


def complete(dataset: coco.Coco, images: Path) -> coco.Coco:
    """Return a dataset in which every object that has only a box has an outline, too: what GrabCut finds in the box,
    stretched until it fills it. `images`: the folder of its photographs."""
    annotations, found = coco.by_image(dataset), {}
    for image in dataset.images:
        if some := [one for one in annotations[image.id] if not one.iscrowd and is_box(one, image)]:
            pixels = object_mask.load(image, images)
            found |= {one.id: traced(one, image, pixels) for one in some}
    outlined = [
        msgspec.structs.replace(one, segmentation=msgspec.Raw(msgspec.json.encode([found[one.id]])))
        if one.id in found else one
        for one in dataset.annotations
    ]  # fmt: skip
    return msgspec.structs.replace(dataset, annotations=outlined)


def is_box(annotation: coco.Annotation, image: coco.Image) -> bool:
    """Return whether an annotation says no more of its object than a box does."""
    parts = segmentation.polygons(annotation, image.width, image.height)
    return not parts or (len(parts) == 1 and len(parts[0]) == 4 and all(len({*axis}) == 2 for axis in parts[0].T))


def traced(annotation: coco.Annotation, image: coco.Image, pixels: np.ndarray) -> list[float]:
    """Return the outline x, y, x, y, … of the object in a box, which it fills: closed, or a straight one would be taken
    for a box."""
    mask, _ = object_mask.outline(msgspec.structs.replace(annotation, segmentation=coco.NO_MASK), image, pixels)
    left, top, width, height = annotation.bbox
    box = np.array([(left, top), (left + width, top + height)]).clip(0, (image.width, image.height))
    corners = object_mask.contour(mask)
    if not len(corners) or not (extent := np.ptp(corners, axis=0)).all():
        corners, extent = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]), np.ones(2)
    shares = (np.append(corners, corners[:1], 0) - corners.min(0)) / extent
    return (box[0] + shares * (box[1] - box[0])).ravel().round(2).tolist()

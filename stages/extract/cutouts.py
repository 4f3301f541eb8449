"""Images with the outline of each of their objects: the annotations', or what GrabCut finds in a box."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from stages import boxes
from stages.dataset import coco, photo, segmentation

NEAR = 3  # pixels: objects nearer than this may hide each other
EDGE = 1  # pixels from the frame's border: what reaches there goes on outside
SMALL = 4  # pixels: a box no wider than this is taken whole, GrabCut would find nothing to tell apart
ROUNDS = 5  # of GrabCut
SPANNED = 0.7  # of a box's width and height, by an object that was told from the bin
LARGEST = 1280  # pixels of the longer side: larger photographs are reduced, no detector here looks at more


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
        pixels = photo.fit(photo.load(subset / "images" / image.file_name, image.width, image.height), LARGEST)
        masks, categories, cut, places, unknown = [], [], [], [], []
        for annotation in annotations[image.id]:
            if annotation.iscrowd:
                left_out["crowd"] += 1
                unknown.append(place(annotation, image, pixels))
                continue
            mask, how = outline(annotation, image, pixels)
            if not mask.any():
                left_out["empty mask"] += 1
                continue
            masks.append(mask)
            categories.append(annotation.category_id)
            cut.append(how)
            places.append(place(annotation, image, pixels))
        seen = _visible(np.array(masks, bool).reshape(-1, *pixels.shape[:2]))
        kept = [k for k, mask in enumerate(seen) if mask.any()]
        left_out += Counter({"hidden altogether": len(masks) - len(kept)} if len(kept) < len(masks) else {})
        found.append(SegmentedImage(
            image.file_name, pixels, seen[kept], [categories[k] for k in kept], [cut[k] for k in kept],
            tuple(places[k] for k in kept if cut[k] == "grabcut"), tuple(unknown),
        ))  # fmt: skip
    return found, left_out


def outline(annotation: coco.Annotation, image: coco.Image, pixels: np.ndarray) -> tuple[np.ndarray, str]:
    """Return an object's mask in an image that may have been reduced: the annotation's, or where it has none, what
    GrabCut finds in its box."""
    height, width = pixels.shape[:2]
    mask = segmentation.mask(annotation, image.width, image.height)
    if mask is not None:
        return cv2.resize(255 * mask, (width, height), interpolation=cv2.INTER_AREA) > 127, "mask"
    box = place(annotation, image, pixels)
    labels = np.full((height, width), cv2.GC_BGD, np.uint8)
    labels[box] = cv2.GC_PR_FGD
    if min(labels[box].shape) > SMALL and not labels.all():  # else there is nothing to tell the object from
        cv2.setRNGSeed(0)  # its clusters start at random
        before, behind = np.zeros((2, 1, 65))
        none = (0, 0, 0, 0)  # the labels say where, not a rectangle
        part = tuple(slice(max(0, s.start - (s.stop - s.start)), s.stop + (s.stop - s.start)) for s in box)
        some = labels[part].copy()
        cv2.grabCut(pixels[part][..., ::-1].copy(), some, none, before, behind, ROUNDS, cv2.GC_INIT_WITH_MASK)
        labels[part] = some
    found = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    found[box] = solid(found[box])
    return found, "grabcut"


def solid(found: np.ndarray) -> np.ndarray:
    """Return what GrabCut found in a box as one object without holes.

    An object reaches from side to side of its box. Where nothing in one piece does, only what is printed on it was told
    from the bin, and it is taken for the ellipse that the box holds.
    """
    parts, _ = cv2.findContours(found.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(parts, key=cv2.contourArea, default=None)
    filled, size = np.zeros(found.shape, np.uint8), np.array(found.shape[::-1])
    if largest is not None and (np.ptp(largest[:, 0], axis=0) + 1 >= SPANNED * size).all():
        return cv2.drawContours(filled, [largest], -1, 1, cv2.FILLED).astype(bool)
    rows, columns = ((np.arange(n) + 0.5) / n * 2 - 1 for n in found.shape)
    return rows[:, None] ** 2 + columns**2 <= 1


def place(annotation: coco.Annotation, image: coco.Image, pixels: np.ndarray) -> tuple[slice, slice]:
    """Return a box's rows and columns, as far as they are in the image, which may have been reduced."""
    height, width = pixels.shape[:2]
    return boxes.pixels(tuple(v * (width / image.width) for v in annotation.bbox), width, height)


def _visible(masks: np.ndarray) -> np.ndarray:
    """Give each pixel that two annotations claim to the smaller one: a hidden object's mask often goes on."""
    order = np.argsort([mask.sum() for mask in masks], kind="stable")
    taken, seen = np.zeros(masks.shape[1:], bool), masks.copy()
    for k in order:
        seen[k] &= ~taken
        taken |= seen[k]
    return seen

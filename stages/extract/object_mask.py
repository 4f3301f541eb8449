"""The mask of one object: the annotation's, or where that is a box alone, what GrabCut finds in it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from stages import boxes
from stages.dataset import coco, photo, segmentation

SMALL = 4  # pixels: a box no wider than this is taken whole, GrabCut would find nothing to tell apart
ROUNDS = 5  # of GrabCut
SPANNED = 0.7  # of a box's width and height, by an object that was told from the bin
LARGEST = 1280  # pixels of the longer side: larger photographs are reduced, no detector here looks at more


def load(image: coco.Image, images: Path) -> np.ndarray:
    """Return a photograph of a folder, reduced if it is very large."""
    return photo.fit(photo.load(images / image.file_name, image.width, image.height), LARGEST)


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


def contour(mask: np.ndarray) -> np.ndarray:
    """Return the outline (n, 2) of a mask's largest part; without corners, where there is none."""
    parts, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return max(parts, key=cv2.contourArea, default=np.zeros((0, 1, 2)))[:, 0] + 0.5


def place(annotation: coco.Annotation, image: coco.Image, pixels: np.ndarray) -> tuple[slice, slice]:
    """Return a box's rows and columns, as far as they are in the image, which may have been reduced."""
    height, width = pixels.shape[:2]
    return boxes.pixels(tuple(v * (width / image.width) for v in annotation.bbox), width, height)


def grown(mask: np.ndarray, by: int) -> np.ndarray:
    """Return a mask that reaches so many pixels further to all sides."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * by + 1,) * 2)
    return cv2.dilate(mask.astype(np.uint8), disc).astype(bool)

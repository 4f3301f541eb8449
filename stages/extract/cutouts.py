"""The objects of a few images, cut out along their masks; what hides parts of each other stays together.

An object that lies partly under another one is only a fragment. Placed alone it would teach a detector that fragments
are whole, so objects that touch are cut out as one unit, in which each is hidden as it was.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from stages import boxes
from stages.dataset import coco, photo, segmentation
from stages.problem import Problem

NEAR = 3  # pixels: objects nearer than this may hide each other
EDGE = 1  # pixels from the frame's border: what reaches there goes on outside
FRAGMENT = 0.5  # of the median area of its class: a lone object smaller than this is hidden by something unnamed
SMALL = 4  # pixels: a box no wider than this is taken whole, GrabCut would find nothing to tell apart
ROUNDS = 5  # of GrabCut


@dataclass(frozen=True)
class CutOut:
    """One object, or several that lie on each other, as they are in one image."""

    image: str
    pixels: np.ndarray  # (h, w, 3) uint8: the part of the image around it
    masks: np.ndarray  # (k, h, w) bool: what is visible of each object
    categories: tuple[int, ...]  # COCO's ids
    cut: tuple[str, ...]  # how each outline was found: mask or grabcut


@dataclass(frozen=True)
class SegmentedImage:
    """One image, with the mask of each of its objects."""

    name: str
    pixels: np.ndarray
    masks: np.ndarray  # (k, height, width) bool
    categories: list[int]
    cut: list[str]
    boxes: tuple[tuple[slice, slice], ...] = ()  # of objects whose outline had to be guessed

    @property
    def covered(self) -> np.ndarray:
        return np.any(self.masks, axis=0)

    @property
    def hidden(self) -> np.ndarray:
        """Return where the background may be hidden: in all of a box whose object's outline was guessed."""
        found = self.covered
        for box in self.boxes:
            found[box] = True
        return found

    def place(self, k: int) -> np.ndarray:
        """Return where one object may be: in all of its box, if its outline was guessed."""
        found = self.masks[k].copy()
        if self.cut[k] == "grabcut":
            found[self.boxes[self.cut[:k].count("grabcut")]] = True
        return found


def scenes(subset: Path) -> tuple[list[SegmentedImage], Counter]:
    """Return all images of a subset, and how many objects were left out for which reason."""
    dataset = coco.read(subset / "annotations.json")
    annotations, left_out, found = coco.by_image(dataset), Counter(), []
    for image in dataset.images:
        pixels = photo.load(subset / "images" / image.file_name, image.width, image.height)
        masks, categories, cut, guessed = [], [], [], []
        for annotation in annotations[image.id]:
            if annotation.iscrowd:
                left_out["crowd"] += 1
                continue
            mask, how = outline(annotation, image, pixels)
            if not mask.any():
                left_out["empty mask"] += 1
                continue
            masks.append(mask)
            categories.append(annotation.category_id)
            cut.append(how)
            if how == "grabcut":
                guessed.append(boxes.pixels(annotation.bbox, image.width, image.height))
        stacked = np.array(masks, bool).reshape(-1, image.height, image.width)
        found.append(SegmentedImage(image.file_name, pixels, _visible(stacked), categories, cut, tuple(guessed)))
    return found, left_out


def outline(annotation: coco.Annotation, image: coco.Image, pixels: np.ndarray) -> tuple[np.ndarray, str]:
    """Return an object's mask: the annotation's, or where it has none, what GrabCut finds in its box."""
    mask = segmentation.mask(annotation, image.width, image.height)
    if mask is not None:
        return mask.astype(bool), "mask"
    box = boxes.pixels(annotation.bbox, image.width, image.height)
    labels = np.full(pixels.shape[:2], cv2.GC_BGD, np.uint8)
    labels[box] = cv2.GC_PR_FGD
    if min(labels[box].shape) <= SMALL or (labels == cv2.GC_PR_FGD).all():  # nothing to tell the object from
        return labels == cv2.GC_PR_FGD, "grabcut"
    cv2.setRNGSeed(0)  # its clusters start at random
    before, behind = np.zeros((2, 1, 65))
    whole = (0, 0, 0, 0)  # the labels say where, not a rectangle
    cv2.grabCut(pixels[..., ::-1].copy(), labels, whole, before, behind, ROUNDS, cv2.GC_INIT_WITH_MASK)
    return (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD), "grabcut"


def units(found: list[SegmentedImage]) -> tuple[list[CutOut], Counter]:
    """Return what can be placed anew, and how many objects can't for which reason."""
    singles = [(scene, group) for scene in found for group in _groups(scene.masks)]
    areas: dict[int, list[int]] = {}
    for scene, group in singles:
        if len(group) == 1:
            areas.setdefault(scene.categories[group[0]], []).append(int(scene.masks[group[0]].sum()))
    made, left_out = [], Counter()
    for scene, group in singles:
        whole = np.any(scene.masks[group], axis=0)
        if whole[:EDGE].any() or whole[-EDGE:].any() or whole[:, :EDGE].any() or whole[:, -EDGE:].any():
            left_out["touches the border"] += len(group)
        elif len(group) == 1 and whole.sum() < FRAGMENT * np.median(areas[scene.categories[group[0]]]):
            left_out["fragment"] += 1
        else:
            made.append(_unit(scene, group, whole))
    return made, left_out


def usable(subset: Path) -> tuple[list[SegmentedImage], list[CutOut], Counter]:
    """Return scenes and units of a subset; raise a Problem where nothing can be placed."""
    found, empty = scenes(subset)
    made, left_out = units(found)
    reasons = empty + left_out
    if not made:
        listed = ", ".join(f"{count} × {reason}" for reason, count in reasons.most_common()) or "it has none"
        raise Problem(f"{subset}: none of its objects can be cut out whole ({listed}); composing needs one")
    return found, made, reasons


def _visible(masks: np.ndarray) -> np.ndarray:
    """Give each pixel that two annotations claim to the smaller one: a hidden object's mask often goes on."""
    order = np.argsort([mask.sum() for mask in masks], kind="stable")
    taken, seen = np.zeros(masks.shape[1:], bool), masks.copy()
    for k in order:
        seen[k] &= ~taken
        taken |= seen[k]
    return seen


def _groups(masks: np.ndarray) -> list[list[int]]:
    """Return which objects touch, each group together."""
    kernel = np.ones((2 * NEAR + 1,) * 2, np.uint8)
    wide = [cv2.dilate(mask.astype(np.uint8), kernel).astype(bool) for mask in masks]
    pairs = [(a, b) for a in range(len(masks)) for b in range(a) if (wide[a] & masks[b]).any()]
    rows, columns = zip(*pairs, strict=True) if pairs else ((), ())
    links = coo_array((np.ones(len(pairs)), (rows, columns)), shape=(len(masks),) * 2)
    count, labels = connected_components(links, directed=False)
    return [np.flatnonzero(labels == group).tolist() for group in range(count)]


def _unit(scene: SegmentedImage, group: list[int], whole: np.ndarray) -> CutOut:
    ys, xs = np.nonzero(whole)
    part = slice(ys.min(), ys.max() + 1), slice(xs.min(), xs.max() + 1)
    return CutOut(
        scene.name, scene.pixels[part], scene.masks[group][:, *part],
        tuple(scene.categories[k] for k in group), tuple(scene.cut[k] for k in group),
    )  # fmt: skip

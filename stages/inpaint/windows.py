"""Photographs as what the networks work on: square windows, in which a hole has its surroundings.

A whole frame squashed to a network's few pixels would be filled with a blur. A window about twice as wide as its hole
shows what matters around it and loses less.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from stages import boxes, progress
from stages.dataset import coco, photo, segmentation
from stages.inpaint.holes import HoleMaker, Together
from stages.problem import Problem

SMALLEST = 0.5  # side of a window, of the frame's shorter side
CONTEXT = 2.2  # side of a window, of its hole's longer side
HELD = 0.15  # of the images, by which training is stopped and which it does not see
HOLES = 3  # in a photograph that is never complete

Area = tuple[slice, slice]  # rows and columns


@dataclass(frozen=True)
class Windows:
    pixels: np.ndarray  # (n, size, size, 3) uint8; 0 where nothing was seen
    seen: np.ndarray  # (n, size, size) bool


def load(
    folders: list[Path], size: int, count: int, seed: int, camera: HoleMaker | None = None
) -> tuple[Windows, Windows]:
    """Return `count` windows of each image in some folders: to train on, and, of images held out of the last folder, to
    stop by.

    Where there is a camera, it takes each image once, before anything else sees it: what it hides is gone for good.
    """
    listed = [(folder, image) for folder in folders for image in coco.read(folder / "annotations.json").images]
    last = [k for k, (folder, _) in enumerate(listed) if folder == folders[-1]]
    if len(last) < 2:
        raise Problem(f"{folders[-1]}: {len(last)} images are too few; one is held out to tell when to stop")
    held = set(np.random.default_rng([seed, len(last)]).permutation(last)[: max(1, round(HELD * len(last)))].tolist())
    found: tuple[list, list] = [], []
    for k, (folder, image) in enumerate(progress.bar(listed, what="cutting windows", unit="picture")):
        pixels = photo.load(folder / "images" / image.file_name, image.width, image.height)
        rng = np.random.default_rng([seed, k])
        seen = np.ones(pixels.shape[:2], bool)
        if camera is not None:
            pixels, seen = incomplete(pixels, camera, rng)
        found[k in held].extend(cut(pixels, seen, area, size) for area in areas(seen, count, rng))
    return _stacked(found[0]), _stacked(found[1])


def incomplete(pixels: np.ndarray, camera: HoleMaker, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return what a camera that misses places makes of a picture, and where it saw something."""
    seen = ~Together([camera] * HOLES)(pixels.shape[:2], rng)
    return pixels * seen[..., None], seen


def areas(seen: np.ndarray, count: int, rng: np.random.Generator) -> Iterator[Area]:
    """Return windows anywhere in a picture; in an incomplete one, each around something that is missing."""
    ys, xs = np.nonzero(~seen if not seen.all() else seen)
    for _ in range(count):
        side = round(rng.uniform(SMALLEST, 1) * min(seen.shape))
        k, (down, right) = int(rng.integers(len(ys))), rng.uniform(0.25, 0.75, 2) * side
        yield _inside(ys[k] - down, side, seen.shape[0]), _inside(xs[k] - right, side, seen.shape[1])


def around(hole: np.ndarray) -> Area:
    """Return the window in which a hole is filled."""
    height, width = hole.shape
    ys, xs = np.nonzero(hole)
    side = CONTEXT * max(np.ptp(ys) + 1, np.ptp(xs) + 1)
    side = round(max(side, SMALLEST * min(hole.shape)))
    middle = (ys.min() + ys.max() + 1 - side) / 2, (xs.min() + xs.max() + 1 - side) / 2
    return _inside(middle[0], min(side, height), height), _inside(middle[1], min(side, width), width)


def cut(pixels: np.ndarray, seen: np.ndarray, area: Area, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a window of a picture as a square of `size`, and what is seen of it: a pixel, if all that goes into it
    is."""
    share = cv2.resize(seen[area].astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
    clear = share > 1 - 1e-4
    return photo.squashed(pixels[area], size) * clear[..., None], clear


def silhouettes(datasets: Sequence[coco.Coco]) -> list[np.ndarray]:
    """Return the outlines of all objects, each in its box; the box itself where an object has no mask."""
    found = []
    for dataset in datasets:
        sizes = {image.id: (image.width, image.height) for image in dataset.images}
        for annotation in dataset.annotations:
            if annotation.iscrowd:
                continue
            width, height = sizes[annotation.image_id]
            mask = segmentation.mask(annotation, width, height)
            if mask is None:
                mask = np.ones((height, width), np.uint8)[boxes.pixels(annotation.bbox, width, height)]
            if mask.any():
                ys, xs = np.nonzero(mask)
                found.append(mask[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1].astype(bool))
    if not found:
        raise Problem("the images to learn from show no object whose outline a hole could have")
    return found


def _inside(start: float, length: int, whole: int) -> slice:
    first = int(np.clip(round(start), 0, whole - length))
    return slice(first, first + length)


def _stacked(found: Sequence[tuple[np.ndarray, np.ndarray]]) -> Windows:
    pixels, seen = zip(*found, strict=True)
    return Windows(np.stack(pixels), np.stack(seen))

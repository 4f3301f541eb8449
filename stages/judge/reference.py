"""The real images that candidates are judged by: pixels, boxes and masks at the candidates' size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import pandas as pd

from stages import boxes, paths
from stages.dataset import coco, photo, segmentation
from stages.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True)
class Reference:
    """Images squashed to squares of `size` pixels; boxes as shares of the image: x, y, width, height."""

    names: list[str]
    pixels: np.ndarray  # (n, size, size, 3) uint8
    boxes: list[np.ndarray]  # of each image (k, 4)
    classes: list[np.ndarray]  # of each image (k,) class numbers
    masks: list[np.ndarray]  # of each image (k, size, size) bool; the box where an object has no mask
    frame: tuple[int, int]  # width and height of most images before they were squashed

    def __len__(self) -> int:
        return len(self.names)

    def part(self, places: list[int]) -> Reference:
        """Return the images at some places."""

        def some(values: list[T]) -> list[T]:
            return [values[k] for k in places]

        return Reference(
            some(self.names), self.pixels[places], some(self.boxes), some(self.classes), some(self.masks), self.frame
        )


def parents(manifest: pd.DataFrame) -> list[Path]:
    """Return the folders of all images that candidates may repeat; each row of a manifest has its own list.

    Other products' photographs that only told how objects lie, and lent their bins, are not among them.
    """
    told = set(manifest["known"]) if "known" in manifest else set()
    named = dict.fromkeys(";".join(manifest["parents"]).split(";"))
    return [Path(folder) for folder in named if folder not in told]


def read(folders: list[Path], size: int, drawn: int | None = None) -> Reference:
    """Return all images of some folders (images/ and annotations.json each)."""
    parts = [(folder, coco.read(folder / "annotations.json")) for folder in folders]
    return joined([of(dataset, folder / "images", size, drawn) for folder, dataset in parts])


def squared(pixels: np.ndarray, size: int, drawn: int | None = None) -> np.ndarray:
    """Return a picture squashed to a square of `size` pixels, with no more in it than in one of `drawn`: generators may
    draw smaller ones, and like is compared with like."""
    return photo.squashed(photo.squashed(pixels, drawn) if drawn and drawn < size else pixels, size)


def of_ids(ids: list[int], params: Settings, drawn: int | None = None) -> Reference | None:
    """Return some of the dataset's images, as the judge looks at them; None, if these are none."""
    if not ids:
        return None
    return of(coco.subset(coco.read(paths.ANNOTATIONS), ids), paths.SOURCE_IMAGES, params.now.judge.size, drawn)


def of(dataset: coco.Coco, images: Path, size: int, drawn: int | None = None) -> Reference:
    """Return all images of a dataset, as `squared` makes them."""
    numbers, annotations = coco.class_numbers(dataset), coco.by_image(dataset)
    pixels, places, classes, masks = [], [], [], []
    for image in dataset.images:
        pixels.append(squared(photo.load(images / image.file_name, image.width, image.height), size, drawn))
        objects = [a for a in annotations[image.id] if not a.iscrowd]
        scale = np.array([image.width, image.height, image.width, image.height])
        places.append(np.array([a.bbox for a in objects], float).reshape(-1, 4) / scale)
        classes.append(np.array([numbers[a.category_id] for a in objects], int))
        masks.append(np.array([_mask(a, image, size) for a in objects], bool).reshape(-1, size, size))
    frames = [(image.width, image.height) for image in dataset.images]
    return Reference(
        [image.file_name for image in dataset.images], np.stack(pixels), places, classes, masks,
        max(dict.fromkeys(frames), key=frames.count),
    )  # fmt: skip


def joined(parts: list[Reference]) -> Reference:
    """Return one reference made of several, with the frame of the first."""
    return Reference(
        [n for p in parts for n in p.names], np.concatenate([p.pixels for p in parts]),
        [b for p in parts for b in p.boxes], [c for p in parts for c in p.classes],
        [m for p in parts for m in p.masks], parts[0].frame,
    )  # fmt: skip


def _mask(annotation: coco.Annotation, image: coco.Image, size: int) -> np.ndarray:
    found = segmentation.mask(annotation, image.width, image.height)
    if found is None:
        found = np.zeros((image.height, image.width), np.uint8)
        found[boxes.pixels(annotation.bbox, image.width, image.height)] = 1
    return cv2.resize(found.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA) >= 0.5

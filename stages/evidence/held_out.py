"""The real test images of some groups, loaded once, and what a detector sees in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages import files, paths
from stages.dataset import coco, photo, subset
from stages.detector import predict
from stages.detector.scenes import DetectedScene, scene_of
from stages.problem import Problem
from stages.settings import Settings


@dataclass(frozen=True)
class HeldOut:
    dataset: coco.Coco
    pictures: list[np.ndarray]  # reduced to the detectors' size
    imgsz: int

    @property
    def classes(self) -> int:
        return len(self.dataset.categories)


def of(groups: Iterable[str], params: Settings, imgsz: int, part: str = "test") -> HeldOut:
    """The test images of some groups; `val` to choose settings with."""
    return showing(needed(groups, params, part), imgsz)


def needed(groups: Iterable[str], params: Settings, part: str = "test") -> list[int]:
    """Return the ids of some groups' images in a part of the split; raise a Problem where there are none."""
    if ids := there(groups, params, part):
        return ids
    raise Problem(f"{', '.join(groups)}: there are no {part} images; without them nothing can be proven")


def there(groups: Iterable[str], params: Settings, part: str = "test") -> list[int]:
    """The ids of some groups' images in a part of the split."""
    dataset, chosen = coco.read(paths.ANNOTATIONS, masks=False), set(files.read_json(paths.SPLIT)[part])
    grouped = coco.grouped(dataset, params.dataset.groups)
    return [image.id for group in groups for image in grouped.get(group, []) if image.id in chosen]


def other_groups(product: str, params: Settings) -> list[str]:
    """Return the groups of all images but a product's: what was known before it came."""
    groups = coco.grouped(coco.read(paths.ANNOTATIONS, masks=False), params.dataset.groups)
    return subset.others(groups, params.group(product), params.products)


def showing(ids: Iterable[int], imgsz: int) -> HeldOut:
    """Return images of the dataset by their ids."""
    return load(coco.subset(coco.read(paths.ANNOTATIONS, masks=False), ids), paths.SOURCE_IMAGES, imgsz)


def shifted(group: str, imgsz: int) -> dict[str, HeldOut]:
    """Return, by the name of each station that differs, a group's photographs taken there; none in most datasets."""
    found = {}
    for folder in sorted((paths.SOURCE / "shifted").glob("*")):
        dataset = coco.read(folder / "annotations.json", masks=False)
        ids = [image.id for image in dataset.images if coco.group_of(image, {}) == group]
        if ids:
            found[folder.name] = load(coco.subset(dataset, ids), folder / "images", imgsz)
    return found


def load(dataset: coco.Coco, images: Path, imgsz: int) -> HeldOut:
    """Return all images of a dataset, read from a folder."""
    pictures = [
        photo.fit(photo.load(images / image.file_name, image.width, image.height), imgsz) for image in dataset.images
    ]
    return HeldOut(dataset, pictures, imgsz)


def seen(test: HeldOut, weights: Path, nms: float = predict.NMS) -> list[DetectedScene]:
    """Return what a detector sees in every test image, beside what is there; in pixels of the source images."""
    annotations, numbers = coco.by_image(test.dataset), coco.class_numbers(test.dataset)
    detections = predict.predict(weights, test.pictures, test.imgsz, nms=nms)
    pairs = zip(test.dataset.images, detections, strict=True)
    return [scene_of(image, annotations[image.id], numbers, found) for image, found in pairs]

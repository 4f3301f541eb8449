"""The YOLO dataset of one arm: real images, fakes and other products' images, each with its share of all entries, and
so of what an epoch draws of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import yaml

from stages import files
from stages.dataset import coco, photo, yolo_labels
from stages.problem import Problem

SUFFIX = "bmp"  # of pictures that are read in every epoch, and only there
ROUNDING = 1e-6  # of a number of entries that is a whole one but for the machine
VALIDATED = 4  # images of the first part; they steer nothing, because arms use their last weights


@dataclass(frozen=True)
class Part:
    """Folders (images/ and annotations.json each) whose images make up a share of all entries."""

    folders: list[Path]
    share: float
    most: int | None = None  # of their images, in turn the first of each


@dataclass(frozen=True)
class LabelledImage:
    """One image of a part's folder, with its label rows; `name` is its own among the folder's."""

    folder: Path
    image: coco.Image
    name: str
    rows: str


def write(parts: list[Part], folder: Path, size: int, least: int, seed: int) -> dict[str, int]:
    """Fill `folder` with entries of training images; say how many different ones there are of each folder.

    There are `least` entries, or as many as it takes for every image to have one. An image is written once and linked
    as often as its part's share takes. The share of a part without images goes to the others.
    """
    there = [(part, picked(part)) for part in parts if part.share]
    there = [(part, images) for part, images in there if images]
    if not there:
        raise Problem(f"{', '.join(str(f) for part in parts for f in part.folders)}: there are no images to train on")
    whole = sum(part.share for part, _ in there)
    entries = max(least, *(math.ceil(len(images) * whole / part.share) for part, images in there))
    rng = np.random.default_rng(seed)
    counts: dict[str, int] = {}
    with files.replacing(folder) as into:
        for kind in ("images", "labels"):
            (into / kind / "train").mkdir(parents=True)
        number, ends = 0, np.ceil(np.cumsum([part.share for part, _ in there]) / whole * entries - ROUNDING)
        for (_, images), end in zip(there, ends.astype(int), strict=True):
            pool = [pooled(into, one, size) for one in images]
            for one in images:
                counts[str(one.folder)] = counts.get(str(one.folder), 0) + 1
            for k in endless(len(pool), rng):
                if number == end:
                    break
                link(pool[k], into, "train", number)
                number += 1
            if not (into / "images" / "val").exists():
                for k in range(min(VALIDATED, len(pool))):
                    link(pool[k], into, "val", k)
        names = coco.class_names(coco.read(there[0][1][0].folder / "annotations.json", masks=False))
        layout = {part: f"images/{part}" for part in ("train", "val")} | {"names": dict(enumerate(names))}
        files.write(into / "data.yaml", yaml.safe_dump(layout, sort_keys=False))
    return counts


def picked(part: Part) -> list[LabelledImage]:
    """Return the images that a part uses."""
    queues = []
    for folder in part.folders:
        if not files.read_json(folder / "annotations.json")["images"]:
            continue
        dataset = coco.read(folder / "annotations.json")
        texts, _ = yolo_labels.labels(dataset, yolo_labels.usable(dataset)[0], polygons=True)
        names = yolo_labels.flat_names(dataset.images)
        queues.append([LabelledImage(folder, *of) for of in zip(dataset.images, names, texts, strict=True)])
    longest = max((len(queue) for queue in queues), default=0)
    turns = (queue[k] for k in range(longest) for queue in queues if k < len(queue))
    return list(islice(turns, part.most))


def pooled(into: Path, one: LabelledImage, size: int) -> Path:
    """Write an image, reduced, and its label file into a pool that is linked from; return its path without suffix."""
    place = into / "pool" / str(one.folder).replace("/", "__") / one.name
    pixels = photo.load(one.folder / "images" / one.image.file_name, one.image.width, one.image.height)
    photo.save(Path(f"{place}.{SUFFIX}"), photo.fit(pixels, size))
    files.write(f"{place}.txt", one.rows)
    return place


def link(pool: Path, into: Path, part: str, number: int) -> None:
    """Enter an image of the pool under a number."""
    for kind, suffix in (("images", SUFFIX), ("labels", "txt")):
        target = into / kind / part / f"{number:06}.{suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.hardlink_to(f"{pool}.{suffix}")


def endless(count: int, rng: np.random.Generator):
    """0 … count - 1 in a new order each time, again and again."""
    while True:
        yield from rng.permutation(count)

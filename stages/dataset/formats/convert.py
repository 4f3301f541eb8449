"""Which format a folder of annotated photographs has, and the same as COCO."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

from stages import files
from stages.dataset import arrival, coco, photo, segmentation
from stages.dataset.formats import coco_exports, cvat, found, voc, yolo
from stages.problem import Problem

FORMATS = (coco_exports, yolo, voc, cvat)


def convert(folder: Path, into: Path) -> str:
    """Fill `into`, which must be empty or missing, with images/ and annotations.json, as data/incoming/ takes them;
    return a sentence that says what was found."""
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise Problem(f"{into}: it is there already, and not an empty folder")
    name, read = read_any(folder)
    dataset = read.dataset
    with files.replacing(into) as part:
        for image, place in zip(dataset.images, read.places, strict=True):
            target = part / "images" / image.file_name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(place, target)
        coco.write(part / "annotations.json", dataset)
    tests, classes = sum(image.split == "test" for image in dataset.images), len(dataset.categories)
    return (
        f"{name}: {len(dataset.images)} photographs ({tests} of them for testing only) "
        f"with {len(dataset.annotations)} objects of {classes} class{'es' * (classes != 1)}" + _left_out(folder, read)
    )


def _left_out(folder: Path, read: found.AnnotatedDataset) -> str:
    """Return the end of that sentence, which tells what nothing is taken from, if there is anything."""
    left = len(set(found.pictures(folder)) - set(read.places))
    if not read.unread:
        return f"; {left} photographs that no annotation names were left out" if left else ""
    such_as = read.unread[0].relative_to(folder)
    return (
        f"; {left} photographs were left out, and {len(read.unread)} annotation files that no list or part of the "
        f"split leads to, such as {such_as}"
    )


def read_any(folder: Path) -> tuple[str, found.AnnotatedDataset]:
    """Return the format of a folder with the file that it was known by, and what is in it, checked as an arrival's COCO
    is."""
    if folder.is_file():
        raise Problem(f"{folder}: a file; name the folder that it lies in, or unpack it, if it is an archive")
    if not folder.is_dir():
        raise Problem(f"{folder}: no such folder")
    held = [(module, what) for module in FORMATS if (what := module.holds(folder))]
    if not held:
        looked = "; ".join(f"{module.NAME} ({module.LOOKED_FOR})" for module in FORMATS)
        raise Problem(f"{folder}: no annotations found; looked for {looked}")
    if len(held) > 1:
        several = " and ".join(f"{module.NAME} ({what})" for module, what in held)
        raise Problem(f"{folder}: it holds {several}; leave one of them there")
    module, what = held[0]
    read = module.read(folder)
    _check(folder, what, read)
    return f"{module.NAME} ({what})", read


def _check(folder: Path, what: str, read: found.AnnotatedDataset) -> None:
    """Refuse what an arrival would be refused for, while the files are still called what their owner calls them."""
    coco.check(read.dataset, folder / what)
    arrival.check_boxes(read.dataset, folder / what)
    if len(set(read.places)) < len(read.places):
        twice = next(place for place, times in Counter(read.places).items() if times > 1)
        raise Problem(f"{folder / what}: {twice} is annotated twice")
    annotations = coco.by_image(read.dataset)
    for image, place in zip(read.dataset.images, read.places, strict=True):
        if not place.resolve().is_relative_to(folder.resolve()):
            raise Problem(f"{place}: it is a link that leaves the folder")
        photo.load(place, image.width, image.height)
        try:
            for annotation in annotations[image.id]:
                segmentation.check(annotation, image.width, image.height)
        except Problem as problem:
            raise Problem(f"{folder / what}: {problem}") from None

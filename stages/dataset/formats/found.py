"""What every reader of a format finds in a folder: COCO, and where its photographs lie.

Tools arrange folders differently, but all mean the same by it: a photograph and its annotation file have one path, but
for the suffix and for folders such as images/ and labels/; and a folder test/, wherever it is, is for testing only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePath

import msgspec
import numpy as np

from stages import files
from stages.dataset import arrival, coco, photo
from stages.problem import Problem

# What photo.FORMATS are called on disk.
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".avif", ".tif", ".tiff", ".bmp", ".gif", ".jp2", ".ppm", ".pgm", ".pnm")
KINDS = {"images", "jpegimages", "labels", "annotations"}  # folders that say what is in them
# What tools call the parts of the split, in capitals or not, and what that is here.
PARTS: dict[str, coco.Part] = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
HIDDEN = (".", "__MACOSX")  # how the names of a system's or a tool's own files begin
DIGITS = 3  # of a pixel: what texts with six digits of a share can say


@dataclass
class AnnotatedDataset:
    """A dataset, where the photograph of each of its images lies, and annotation files that nothing is taken from."""

    dataset: coco.Coco
    places: list[Path]
    unread: list[Path] = field(default_factory=list)


@dataclass
class Thing:
    """An object: its class, box (x, y, width, height in pixels) and COCO's segmentation, if there is one."""

    label: str
    box: tuple[float, float, float, float]
    segmentation: list[list[float]] | dict | None = None


@dataclass
class AnnotatedPhotograph:
    place: Path
    width: int
    height: int
    test: bool
    things: list[Thing] = field(default_factory=list)


def outlined(label: str, outline: np.ndarray) -> Thing:
    """Return the object that an outline (n, 2) in pixels encloses."""
    low, high = outline.min(0), outline.max(0)
    x, y, w, h = (*low.tolist(), *(high - low).tolist())
    return Thing(label, (x, y, w, h), [outline.ravel().tolist()])


def turned(label: str, box: tuple[float, float, float, float], degrees: float) -> Thing:
    """Return a box as an object; one that is turned about its middle, clockwise, is the outline of its four corners."""
    if not degrees:
        return Thing(label, box)
    angle = np.deg2rad(degrees)
    x, y, w, h = box
    corners = np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)])
    turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])  # clockwise, as y points down
    centre = corners.mean(0)
    return outlined(label, (corners - centre) @ turn + centre)


def assembled(folder: Path, photographs: Iterable[AnnotatedPhotograph], labels: list[str]) -> AnnotatedDataset:
    """Return photographs as COCO, in the order of their names; the categories are `labels`, in their order."""
    photographs = list(photographs)
    names = _names([p.place.relative_to(folder) for p in photographs])
    ordered = sorted(zip(names, photographs, strict=True), key=lambda pair: pair[0])
    categories = [coco.Category(number, label) for number, label in enumerate(labels, 1)]
    numbers = {category.name: category.id for category in categories}
    images, annotations = [], []
    for image_id, (name, of) in enumerate(ordered, 1):
        images.append(coco.Image(image_id, name, of.width, of.height, "test" if of.test else None))
        for thing in of.things:
            x, y, w, h = (round(float(v), DIGITS) for v in thing.box)
            annotations.append(
                coco.Annotation(
                    len(annotations) + 1, image_id, numbers[thing.label], (x, y, w, h),
                    segmentation=msgspec.Raw(msgspec.json.encode(_rounded(thing.segmentation))),
                )
            )  # fmt: skip
    return AnnotatedDataset(coco.Coco(images, categories, annotations), [of.place for _, of in ordered])


def _rounded(segmentation: list[list[float]] | dict | None) -> list[list[float]] | dict | None:
    if isinstance(segmentation, list):
        return [[round(v, DIGITS) for v in part] for part in segmentation]
    return segmentation


def joined(parts: list[tuple[AnnotatedDataset, coco.Part | None]]) -> AnnotatedDataset:
    """Return what was found in several annotation files as one, each declared to be for its part of the split."""
    (whole, split), *others = parts
    for image in whole.dataset.images:
        image.split = split or image.split
    for more, split in others:
        dataset = arrival.merged(whole.dataset, more.dataset, "more", split)
        names = [i.file_name for i in whole.dataset.images] + [i.file_name for i in more.dataset.images]
        for image, name in zip(dataset.images, _apart(names), strict=True):
            image.file_name = name
        whole = AnnotatedDataset(dataset, whole.places + more.places)
    return whole


def _names(paths: list[PurePath]) -> list[str]:
    """Return what photographs are called from now on: their paths without the folders that only say what is there, so
    that the first folder is the product, as everywhere."""
    names = []
    for path in paths:
        folders = list(path.parts[:-1])
        while folders and (folders[0].lower() in KINDS or _part(folders[0])):
            folders.pop(0)
        names.append("/".join([*folders, path.name]))
    return _apart(names)


def _apart(names: list[str]) -> list[str]:
    """Return names of which none comes twice: the later photograph of the same name gets a number."""
    own, apart = set(names), {}  # a dict keeps their order
    for name in names:
        unique, number = name, 1
        while unique in apart or (number > 1 and unique in own):
            number += 1
            unique = str(PurePath(name).with_stem(f"{PurePath(name).stem}_{number}"))
        apart[unique] = None
    return list(apart)


def pictures(folder: Path) -> list[Path]:
    """Return all photographs in a folder, in order."""
    return listed(folder, *SUFFIXES)


def listed(folder: Path, *suffixes: str) -> list[Path]:
    """Return the files in a folder and below it, in order: all, or those with these suffixes, in capitals or not."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    found = [path for path in found if not suffixes or path.suffix.lower() in suffixes]
    found = [p for p in found if not any(part.startswith(HIDDEN) for part in p.relative_to(folder).parts)]
    for path in found:
        if not files.tellable(path):
            raise Problem(f"{path}: its name is not UTF-8, as JSON has to be; rename it")
    return found


def by_key(folder: Path, paths: Iterable[Path]) -> dict[tuple[str, ...], Path]:
    """Return files by what a photograph and its annotation file have in common; refuse two that have the same."""
    found: dict[tuple[str, ...], Path] = {}
    for path in paths:
        other = found.setdefault(key(path.relative_to(folder)), path)
        if other is not path:
            here, there = path.relative_to(folder), other.relative_to(folder)
            raise Problem(f"{folder}: {there} and {here} would have the same annotations; rename one of them")
    return found


def key(path: PurePath) -> tuple[str, ...]:
    """Return what the paths of a photograph and of its annotation file have in common."""
    return *(part for part in path.parts[:-1] if part.lower() not in KINDS), path.stem


def part(path: PurePath) -> coco.Part | None:
    """Return the part of the split that a path's folders say it is in: testing, if any says so, or else the first."""
    named: list[coco.Part] = [of for folder in path.parts[:-1] if (of := _part(folder))]
    return "test" if "test" in named else next(iter(named), None)


def _part(folder: str) -> coco.Part | None:
    """Return the part of the split that a folder is called like, such as Darknet's obj_train_data."""
    return PARTS.get(folder.lower().removeprefix("obj_").removesuffix("_data"))


def tested(path: PurePath) -> bool:
    """Return whether a path's folders say that what is there is for testing only."""
    return part(path) == "test"


def tests(word: str) -> bool:
    """Return whether what a tool calls a part of the split is for testing only: test2017 is, too."""
    return word.lower().startswith("test")


def homes(folder: Path) -> list[Path]:
    """Return the folders in a folder that are called like parts of the split; those for testing come last."""
    named = [path for path in sorted(folder.iterdir()) if path.is_dir() and path.name.lower() in PARTS]
    return sorted(named, key=lambda path: tests(path.name))


def plain(name: str, where: str) -> str:
    """Return a file name as this system writes it, without `./`; refuse one that leaves its folder."""
    name = name.strip().replace("\\", "/")
    while name.startswith("./"):
        name = name[2:]
    return files.relative_name(name, where)


def size(photograph: Path) -> tuple[int, int]:
    """Return width and height of a photograph as a viewer shows it."""
    height, width = photo.shown(photograph).shape[:2]
    return width, height


def at(folder: Path, name: str, subfolder: str = "") -> Path | None:
    """Return the photograph that an annotation file names, if it lies where tools put it: in images/ or beside that
    file, perhaps in a subfolder for its part of the split."""
    name = name.removeprefix("images/")
    part = [folder / "images" / subfolder, folder / subfolder] if subfolder else []
    bases = [*part, folder / "images", folder]  # that subfolder first: its file may have a namesake in another part
    return next((base / name for base in bases if (base / name).is_file()), None)

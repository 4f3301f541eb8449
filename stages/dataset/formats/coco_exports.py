"""COCO as tools export it: a JSON beside the photographs or beside images/, or one for each part of the split."""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from stages import files
from stages.dataset import coco, coco_errors
from stages.dataset.formats import found
from stages.dataset.segmentation import FAR
from stages.problem import Problem

NAME = "COCO"
LOOKED_FOR = "annotations.json, result.json, annotations/instances_*.json or another COCO file"
USUAL = ("annotations.json", "result.json")
NO_OUTLINE = re.compile(rb"null|[\[\],\s]*")
OF_CVAT = "occluded"  # CVAT says of each annotation whether it is


@dataclass
class _Export:
    path: Path
    home: Path  # the folder beside or in which its photographs lie
    part: str  # what the tool calls this part of the split


class _Attributes(msgspec.Struct):
    attributes: Any = None


class _Described(msgspec.Struct):
    """A COCO file as far as its annotations' attributes go."""

    annotations: list[_Attributes]


def holds(folder: Path) -> str | None:
    """Return the names of the COCO files of a folder, if there are any."""
    return ", ".join(str(export.path.relative_to(folder)) for export in _exports(folder)) or None


def read(folder: Path) -> found.AnnotatedDataset:
    exports = _exports(folder)
    dataset = found.joined([(_read(export), "test" if found.tests(export.part) else None) for export in exports])
    others = [path for path in found.listed(folder, ".json") if path not in {export.path for export in exports}]
    dataset.unread = [path for path in others if _speaks_of(path, "images") and _speaks_of(path, "annotations")]
    return dataset


def _exports(folder: Path) -> list[_Export]:
    exports = [_Export(path, folder, "") for path in _beside(folder)]
    if not exports:
        instances = sorted((folder / "annotations").glob("instances_*.json"))
        exports = [_Export(path, folder, path.stem.removeprefix("instances_")) for path in instances]
    exports += [_Export(path, home, home.name) for home in found.homes(folder) for path in _beside(home)]
    return sorted(exports, key=lambda export: found.tests(export.part))  # training begins, whatever it is called


def _beside(folder: Path) -> list[Path]:
    """Return a folder's own COCO file: one with a usual name, or the only one that speaks of images."""
    found = [path for name in USUAL if (path := folder / name).is_file()]
    found = found or [p for p in sorted(folder.glob("*.json")) if p.is_file() and _speaks_of(p, "images")]
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise Problem(f"{folder}: {names}: which is it? Call that one annotations.json, and move the others away")
    return found


def _speaks_of(path: Path, key: str) -> bool:
    return files.holds(path, f'"{key}"'.encode())


def _read(export: _Export) -> found.AnnotatedDataset:
    dataset = coco.unchecked(export.path)
    dataset.categories = _classes(dataset)
    coco.check(dataset, export.path)
    if _speaks_of(export.path, "attributes"):
        for annotation, attributes in zip(dataset.annotations, _attributes(export.path), strict=True):
            if isinstance(attributes, dict) and OF_CVAT in attributes:
                _take_over(annotation, attributes, f"{export.path}: annotation {annotation.id}")
    places = []
    for image in dataset.images:
        where = f"{export.path}: image {image.id}"
        name = found.plain(image.file_name, where)
        place = found.at(export.home, name, export.part)
        if place is None:
            raise Problem(f"{where}: {name} is missing; it is neither in images/ nor in {export.home}")
        image.file_name = name.removeprefix("images/")
        image.split = image.split or ("test" if found.tested(Path(name)) else None)
        places.append(place)
    return found.AnnotatedDataset(dataset, places)


def _classes(dataset: coco.Coco) -> list[coco.Category]:
    """Return the categories without those that no object has and that are no classes: whose name another has, and
    Roboflow's first one, which stands above all others."""
    used = {annotation.category_id for annotation in dataset.annotations}
    names, classes = {of.name for of in dataset.categories if of.id in used}, []
    above = {of.supercategory for of in dataset.categories if of.id}
    for of in dataset.categories:
        roboflow_s = (of.id, of.supercategory) == (0, "none") and above == {of.name}
        if of.id in used or not (roboflow_s or of.name in names):
            classes.append(of)
            names.add(of.name)
    return classes


def _take_over(annotation: coco.Annotation, attributes: dict, where: str) -> None:
    """Make of an annotation what CVAT means by it: what was drawn with a brush is no crowd, and a box may be turned."""
    annotation.iscrowd = 0
    degrees = attributes.get("rotation", 0)
    if degrees and NO_OUTLINE.fullmatch(bytes(annotation.segmentation)):
        if type(degrees) not in (float, int) or max(map(abs, (*annotation.bbox, degrees))) > FAR:
            raise Problem(f"{where}: its box cannot be turned by {degrees!r:.40}")
        thing = found.turned("", annotation.bbox, degrees)
        annotation.bbox, annotation.segmentation = thing.box, msgspec.Raw(msgspec.json.encode(thing.segmentation))


def _attributes(path: Path) -> list[Any]:
    """Return what else CVAT says of each annotation; of other tools', whatever they mean by attributes, or None."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            of = msgspec.json.decode(coco.unmarked(data), type=_Described)
            return [annotation.attributes for annotation in of.annotations]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Problem(f"{path}: {coco_errors.explain(data, error)}") from None

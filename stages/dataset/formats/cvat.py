"""CVAT for images 1.1: one annotations.xml with boxes, outlines and masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from pycocotools import mask as rle

from stages.dataset import photo
from stages.dataset.formats import found, plain_xml
from stages.problem import Problem

NAME = "CVAT for images"
FILE = "annotations.xml"
LOOKED_FOR = FILE
EDGES = ("xtl", "ytl", "xbr", "ybr")


def holds(folder: Path) -> str | None:
    """Return the names of a folder's annotation files, if there are any."""
    return ", ".join(str((home / FILE).relative_to(folder)) for home in _homes(folder)) or None


def read(folder: Path) -> found.AnnotatedDataset:
    homes = _homes(folder)
    tests = [home for home in homes if home != folder and found.tests(home.name)]
    dataset = found.joined([(_read(home), "test" if home in tests else None) for home in homes])
    others = [path for path in found.listed(folder, ".xml") if path.name == FILE]
    dataset.unread = [path for path in others if path.parent not in homes]
    return dataset


def _homes(folder: Path) -> list[Path]:
    """Return the folders in which annotations lie: a folder itself, and those of the parts of the split."""
    return [home for home in (folder, *found.homes(folder)) if (home / FILE).is_file()]


def _read(home: Path) -> found.AnnotatedDataset:
    path = home / FILE
    root = plain_xml.read(path, "annotations")
    if root.find("track") is not None:
        raise Problem(f"{path}: it is CVAT for video (track); export CVAT for images 1.1")
    images = root.findall("image")
    photographs = [_photograph(home, image, f"{path}: image {image.get('id')}") for image in images]
    used = {thing.label for of in photographs for thing in of.things}
    meta = root.find("meta")
    labels = [of for of in meta.iter("label") if of.find("parent") is None] if meta is not None else []
    declared = list(dict.fromkeys(name for of in labels if (name := of.findtext("name"))))  # each of them once
    if declared and (unknown := sorted(used - set(declared))):
        raise Problem(f"{path}: its meta declares no label {unknown[0]!r}")
    return found.assembled(home, photographs, declared or sorted(used))


def _photograph(home: Path, element: Element, where: str) -> found.AnnotatedPhotograph:
    subset = element.get("subset", "")
    name = found.plain(element.get("name", ""), where)
    place = found.at(home, name, found.plain(subset, where) if subset else "")
    if place is None:
        raise Problem(f"{where}: {name} is missing; it is neither in images/ nor in {home}")
    width, height = (plain_xml.size(element.get(side), f"{where}: its {side}") for side in ("width", "height"))
    photo.check_size(place, width, height)  # before anything as large as it says is made
    test = found.tests(subset) or found.tested(Path(name))
    things = [_thing(shape, width, height, f"{where}: shape {k}") for k, shape in enumerate(element, 1)]
    return found.AnnotatedPhotograph(place, width, height, test, things)


def _thing(shape: Element, width: int, height: int, where: str) -> found.Thing:
    label = shape.get("label")
    if not label:
        raise Problem(f"{where}: it has no label")
    if shape.tag == "box":
        return _box(label, shape, where)
    if shape.tag == "polygon":
        return found.outlined(label, _corners(shape, where))
    if shape.tag == "mask":
        return _mask(label, shape, width, height, where)
    raise Problem(f"{where}: a {shape.tag} is no box, polygon or mask, and cannot be used; remove or redraw it")


def _box(label: str, shape: Element, where: str) -> found.Thing:
    left, top, right, bottom = (plain_xml.number(shape.get(edge), f"{where}: {edge}") for edge in EDGES)
    if right < left or bottom < top:
        raise Problem(f"{where}: its box ends before it begins")
    degrees = plain_xml.number(shape.get("rotation", "0"), f"{where}: rotation")
    return found.turned(label, (left, top, right - left, bottom - top), degrees)


def _corners(shape: Element, where: str) -> np.ndarray:
    corners = shape.get("points", "").split(";")
    if len(corners) < 3 or any(corner.count(",") != 1 for corner in corners):
        raise Problem(f"{where}: its points are no x,y;x,y;… of three or more corners")
    what = f"{where}: a corner"
    numbers = (plain_xml.number(value, what) for corner in corners for value in corner.split(","))
    return np.fromiter(numbers, float).reshape(-1, 2)


def _mask(label: str, shape: Element, width: int, height: int, where: str) -> found.Thing:
    """Return a mask: CVAT gives run lengths of its rectangle, row by row, COCO of the whole frame, column by column."""
    left, top, across, down = (
        int(plain_xml.number(shape.get(key), f"{where}: {key}")) for key in ("left", "top", "width", "height")
    )
    if min(left, top) < 0 or min(across, down) < 1 or left + across > width or top + down > height:
        raise Problem(f"{where}: its mask is not inside the photograph")
    runs = [plain_xml.number(run, f"{where}: rle") for run in shape.get("rle", "").split(",")]
    if min(runs) < 0 or sum(runs) != across * down or any(run != int(run) for run in runs):
        raise Problem(f"{where}: its rle does not add up to {across} × {down} pixels")
    inside = (np.arange(len(runs)) & 1).astype(np.uint8)
    frame = np.zeros((height, width), np.uint8, "F")
    frame[top : top + down, left : left + across] = np.repeat(inside, np.array(runs, int)).reshape(down, across)
    packed: Any = rle.encode(frame)
    x, y, w, h = rle.toBbox(packed).tolist()
    return found.Thing(label, (x, y, w, h), {"size": [height, width], "counts": packed["counts"].decode()})

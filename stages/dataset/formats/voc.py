"""Pascal VOC: an XML file for each photograph, under Annotations/ or beside it, with boxes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from pathlib import Path, PurePath
from xml.etree.ElementTree import Element

from stages.dataset.formats import cvat, found, plain_text, plain_xml
from stages.problem import Problem

NAME = "Pascal VOC"
LOOKED_FOR = "XML files beside the photographs or in Annotations/"
TEST_NAMES = "/imagesets/main/test.txt"  # in capitals or not
SAID = re.compile(r"\s-?[01]\Z")  # behind a name: whether a class is there
SIDES = ("xmin", "ymin", "xmax", "ymax")

Key = tuple[str, ...]  # what the paths of a photograph and of its annotation file have in common


def holds(folder: Path) -> str | None:
    """Return the first of a folder's XML files, if it has any that are VOC's."""
    return next((str(path.relative_to(folder)) for path in _files(folder)), None)


def read(folder: Path) -> found.AnnotatedDataset:
    pictures = found.by_key(folder, found.pictures(folder))
    annotations = _files(folder)
    known = pictures.keys() | {found.key(path.relative_to(folder)) for path in annotations}
    texts = found.listed(folder, ".txt")
    lists = [path for path in texts if f"/{path.relative_to(folder)}".lower().endswith(TEST_NAMES)]
    tests = {key for names in lists for key in _listed(folder, names, known)}
    photographs = [_photograph(folder, path, pictures, tests) for path in annotations]
    labels = sorted({thing.label for of in photographs for thing in of.things})
    return found.assembled(folder, photographs, labels)


def _files(folder: Path) -> list[Path]:
    return [path for path in found.listed(folder, ".xml") if path.name != cvat.FILE]


def _listed(folder: Path, names: Path, known: Set[Key]) -> Iterator[Key]:
    """Yield what stands in a list of photographs, a name on each line. CVAT puts a name with a space into quotes, VOC
    may say behind it whether a class is there, and others write the suffix, too."""
    home = names.parents[TEST_NAMES.count("/") - 1].relative_to(folder)
    for number, line in enumerate(plain_text.lines(names), 1):
        if not (said := line.strip()):
            continue
        where, called = f"{names}:{number}", _bare(said)
        keys = [found.key(home / f"{found.plain(name, where)}.xml") for name in (said, called)]
        if not (meant := [key for key in keys if key in known]):
            raise Problem(f"{where}: there is no photograph {called}")
        yield meant[0]


def _bare(said: str) -> str:
    """Return the name in a line, without what else is said there. No single expression, which would try each of many
    spaces as the end of the name."""
    name = SAID.sub("", said).rstrip().removeprefix('"').removesuffix('"')
    suffix = PurePath(name).suffix
    return name.removesuffix(suffix) if suffix.lower() in found.SUFFIXES else name


def _photograph(folder: Path, path: Path, pictures: dict[Key, Path], tests: set[Key]) -> found.AnnotatedPhotograph:
    annotation = plain_xml.read(path, "annotation")
    here = path.relative_to(folder)
    named = found.plain(annotation.findtext("filename") or path.stem, f"{path}")
    called = Path(named).name
    place = pictures.get(found.key(here)) or (pictures.get(found.key(here.with_name(called))) if called else None)
    if place is None:
        raise Problem(f"{path}: its photograph {named} is missing")
    width, height = found.size(place)
    declared = annotation.find("size")
    if declared is not None and (declared.findtext("width"), declared.findtext("height")) != ("0", "0"):  # not known
        width, height = (plain_xml.size(declared.findtext(k), f"{path}: its {k}") for k in ("width", "height"))
    things = [_thing(element, f"{path}: object {k}") for k, element in enumerate(annotation.findall("object"), 1)]
    test = found.tested(here) or not tests.isdisjoint((found.key(here), found.key(place.relative_to(folder))))
    return found.AnnotatedPhotograph(place, width, height, test, things)


def _thing(element: Element, where: str) -> found.Thing:
    """Return an object. What is `difficult` or `truncated` is one, too: a detector has to find it."""
    label = (element.findtext("name") or "").strip()
    if not label:
        raise Problem(f"{where}: it has no name")
    box = element.find("bndbox")
    if box is None:
        raise Problem(f"{where}: it has no bndbox")
    left, top, right, bottom = (plain_xml.number(box.findtext(side), f"{where}: {side}") for side in SIDES)
    if right < left or bottom < top:
        raise Problem(f"{where}: its box ends before it begins")
    # Pixels are counted from 1 and the last one is inside; tools that count from 0 give no pixel before the first.
    x, y = max(left - 1, 0), max(top - 1, 0)
    said = {of.findtext("name"): of.findtext("value") for of in element.iterfind("attributes/attribute")}  # CVAT's
    degrees = plain_xml.number(said.get("rotation", "0"), f"{where}: rotation")
    return found.turned(label, (x, y, right - x, bottom - y), degrees)

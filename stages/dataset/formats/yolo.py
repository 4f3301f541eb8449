"""YOLO as Ultralytics, Label Studio, CVAT and Roboflow write it: a text file for each photograph, a line for each
object, and the classes' names beside them."""

from __future__ import annotations

import re
from collections.abc import Set
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from stages import plain_yaml
from stages.dataset.formats import found, plain_text
from stages.problem import Problem

NAME = "YOLO"
LOOKED_FOR = "a YAML file with names, classes.txt or obj.names"
LISTS = ("classes.txt", "obj.names")  # of names, one a line
NAMES = re.compile(rb"^(?:\xef\xbb\xbf)?(['\"]?)names\1\s*:", re.MULTILINE)


class DataFile(msgspec.Struct):
    """What counts of a data.yaml. Its `path` does not: it says where the dataset lay on another machine."""

    names: list[str] | dict[int, str]
    train: str | list[str] | None = None
    val: str | list[str] | None = None
    test: str | list[str] | None = None
    kpt_shape: Any = None


def holds(folder: Path) -> str | None:
    """Return the file that names a folder's classes, if there is one."""
    return next((str(path.relative_to(folder)) for path in _named(folder)), None)


def read(folder: Path) -> found.AnnotatedDataset:
    every = found.pictures(folder)
    texts = found.by_key(folder, _texts(folder, every))
    known = found.by_key(folder, every)
    if alone := [path for key, path in texts.items() if key not in known]:
        raise Problem(f"{alone[0]}: there is no photograph of this name")
    labels, parts = _layout(folder, every, {known[key] for key in texts})
    photographs = []
    for path, test in parts.items():
        width, height = found.size(path)
        text = texts.get(found.key(path.relative_to(folder)))
        things = _things(text, labels, width, height) if text else []
        photographs.append(found.AnnotatedPhotograph(path, width, height, test, things))
    dataset = found.assembled(folder, photographs, [labels[number] for number in sorted(labels)])
    dataset.unread = [text for key, text in texts.items() if known[key] not in parts]
    return dataset


def _named(folder: Path) -> list[Path]:
    """Return the files that name a folder's classes; the first may say more."""
    yamls = sorted(path for suffix in ("*.yaml", "*.yml") for path in folder.glob(suffix) if path.is_file())
    yamls = [path for path in yamls if NAMES.search(plain_text.read(path))]
    if len(yamls) > 1:
        raise Problem(f"{folder}: {', '.join(p.name for p in yamls)} all name classes; which is it? Remove the others")
    homes = folder, folder / "labels"  # LabelImg puts the list beside the labels
    lists = [home / name for home in homes for name in LISTS if (home / name).is_file()]
    return yamls + lists


def _layout(folder: Path, every: list[Path], labelled: Set[Path]) -> tuple[dict[int, str], dict[Path, bool]]:
    """Return the classes' names by their numbers, and the photographs, each with whether it is for testing only: those
    that are listed, those in folders of parts that nothing lists, if some there are labelled, and all the others where
    no list says what to train on."""
    layouts = {
        path: _listing(path) if path.name in LISTS else plain_yaml.read(path, DataFile) for path in _named(folder)
    }
    path, layout = next(iter(layouts.items()))  # there is one, or the folder would not be read as YOLO
    labels = _labels(layout)
    if differ := [other.relative_to(folder) for other, of in layouts.items() if _labels(of) != labels]:
        raise Problem(f"{folder}: {differ[0]} names other classes than {path.relative_to(folder)}, or in another "
                      "order; which is it? Remove the other")  # fmt: skip
    if layout.kpt_shape is not None:
        raise Problem(f"{path}: its labels are key points (kpt_shape), which cannot be used; export boxes or outlines")
    if not labels:
        raise Problem(f"{path}: it names no class")
    named = {"train": layout.train, "val": layout.val, "test": layout.test}
    given = [(part, entries, f"{path}: {part}") for part, entries in named.items() if entries is not None]
    if layout.train is None:
        lists = [(found.PARTS[path.stem.lower()], path.name, f"{folder}: {path.stem}") for path in _lists(folder)]
        given = [of for of in lists if named[of[0]] is None] + given
    parts: dict[Path, bool] = {}
    for part, entries, where in given:
        for entry in [entries] if isinstance(entries, str) else entries:
            for photograph in _listed(folder, entry, where):
                test = part == "test" or found.tested(photograph.relative_to(folder))
                if parts.setdefault(photograph, test) != test:
                    raise Problem(f"{where}: {photograph} is to train on and to test on; it can only be one")
    lies = {path: found.part(path.relative_to(folder)) for path in every}
    listed = {part for part, *_ in given}
    wanted = {lies[path] for path in labelled} - {None, *listed} if "train" in listed else {*lies.values()}
    others = {path: part == "test" for path, part in lies.items() if part in wanted}
    return labels, others | parts


def _lists(folder: Path) -> list[Path]:
    """Return the texts that name photographs, one for each part of the split."""
    texts = [path for path in sorted(folder.iterdir()) if path.suffix.lower() == ".txt"]
    return [path for path in texts if path.stem.lower() in found.PARTS and path.is_file()]


def _labels(layout: DataFile) -> dict[int, str]:
    """Return the classes' names by their numbers."""
    return layout.names if isinstance(layout.names, dict) else dict(enumerate(layout.names))


def _listing(path: Path) -> DataFile:
    """Return the classes that a list names, one on each line: a line's number is the class's."""
    names = "\n".join(line.strip() for line in plain_text.lines(path)).rstrip("\n").split("\n")
    if "" in names[:-1]:
        raise Problem(f"{path}: line {names.index('') + 1} is empty, and its number is a class's")
    return DataFile([name for name in names if name])


def _listed(folder: Path, entry: str, where: str) -> list[Path]:
    """Return the photographs that an entry means: a folder of them, or a text with a name on each line."""
    place = _inside(folder, entry, where)
    if place.is_dir():
        return found.pictures(place)
    if place.suffix != ".txt":
        raise Problem(f"{where}: {entry} is neither a folder nor a .txt")
    lines = {line: k for k, line in enumerate(plain_text.lines(place), 1) if line.strip()}  # each of them once
    return [_inside(folder, line, f"{place}:{k}") for line, k in lines.items()]


def _inside(folder: Path, name: str, where: str) -> Path:
    """Return what an entry names. Roboflow writes ../train/images for train/images, CVAT data/train.txt for
    train.txt."""
    options = [found.plain(re.sub(r"^\s*\.\./", "", name), where)]
    options.append(options[0].removeprefix("data/"))
    for option in options:
        if (folder / option).exists():
            return folder / option
    raise Problem(f"{where}: {options[0]} is missing")


def _texts(folder: Path, pictures: list[Path]) -> list[Path]:
    """Return the label files: texts under labels/, or beside photographs, but no lists of names or photographs; refuse
    one that is called like a photograph and lies where nobody would look."""
    homes, stems = {path.parent for path in pictures}, {path.stem for path in pictures}
    lists, texts = _lists(folder), []
    for path in found.listed(folder, ".txt"):
        if path in lists or path.name in LISTS:
            continue
        if path.parent in homes or "labels" in {part.lower() for part in path.relative_to(folder).parts}:
            texts.append(path)
        elif path.stem in stems:
            raise Problem(f"{path}: it is called like a photograph, but lies neither beside it nor in labels/")
    return texts


def _things(path: Path, labels: dict[int, str], width: int, height: int) -> list[found.Thing]:
    lines = enumerate(plain_text.lines(path), 1)
    return [_thing(line.split(), labels, width, height, f"{path}:{number}") for number, line in lines if line.strip()]


def _thing(words: list[str], labels: dict[int, str], width: int, height: int, where: str) -> found.Thing:
    """Return the object that a line speaks of: class, and a box's centre and size or an outline's corners, all in
    shares of the photograph's width and height."""
    try:
        number, values = int(words[0]), [float(word) for word in words[1:]]
    except ValueError:
        raise Problem(f"{where}: a line is a class's number, and numbers from 0 to 1") from None
    if number not in labels:
        raise Problem(f"{where}: no class has the number {number}")
    if outside := [word for word, value in zip(words[1:], values, strict=True) if not 0 <= value <= 1]:
        raise Problem(f"{where}: {outside[0]} is not from 0 to 1, as shares of width and height are")
    if len(values) == 4:
        x, y, w, h = (value * side for value, side in zip(values, (width, height) * 2, strict=True))
        return found.Thing(labels[number], (x - w / 2, y - h / 2, w, h))
    if len(values) < 6 or len(values) % 2:
        raise Problem(f"{where}: {len(values)} numbers after the class; a box has 4, an outline two for each of 3 or "
                      "more corners")  # fmt: skip
    return found.outlined(labels[number], np.array(values).reshape(-1, 2) * (width, height))

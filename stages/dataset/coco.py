"""COCO annotation files: read typed and checked, in bounded memory at COCO's own size, and written back."""

from __future__ import annotations

import fnmatch
import gc
import mmap
import re
import unicodedata
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Struct

from stages import files
from stages.dataset import coco_errors
from stages.problem import Problem

NO_MASK = msgspec.Raw(b"null")
MOST_PIXELS = 178_956_970  # Pillow opens no larger picture

Part = Literal["train", "val", "test"]  # of the split
Id = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Image(Struct, omit_defaults=True):
    id: Id
    file_name: str
    width: int
    height: int
    split: Part | None = None  # where it must go, whatever the draw says


class Category(Struct, omit_defaults=True):
    id: Id
    name: str
    supercategory: str | None = None


class Box(Struct, gc=False, omit_defaults=True):
    """An annotation as far as boxes go; the rest of its JSON is skipped unread."""

    id: Id
    image_id: Id
    category_id: Id
    bbox: tuple[float, float, float, float]  # x, y, width, height in pixels
    iscrowd: bool | int = 0


class Annotation(Box, omit_defaults=True):
    area: float | None = None
    segmentation: msgspec.Raw = NO_MASK  # JSON, parsed only where a mask is wanted


class Coco(Struct):
    images: list[Image]
    categories: list[Category]
    annotations: list[Annotation]


class _Boxes(Struct):
    images: list[Image]
    categories: list[Category]
    annotations: list[Box]


def read(path: Path | str, masks: bool = True) -> Coco:
    """Read and check an annotation file; raise a Problem naming the file and the id. Without `masks`, boxes only."""
    coco = unchecked(path, masks)
    check(coco, path)
    return coco


def unchecked(path: Path | str, masks: bool = True) -> Coco:
    """Return what an annotation file holds, each entry by itself as it has to be."""
    path = Path(path)
    collecting = gc.isenabled()
    gc.disable()  # nearly a million small objects, none of them garbage
    try:
        if path.stat().st_size == 0:
            raise Problem(f"{path}: the file is empty")
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            coco = _decoded(data, masks, path)
    except FileNotFoundError:
        raise Problem(f"{path}: no such file") from None
    except OSError as error:
        raise Problem(f"{path}: cannot be read ({error.strerror})") from None
    finally:
        if collecting:
            gc.enable()
    for image in coco.images:
        image.file_name = _plain(image.file_name)
    return coco


def _plain(name: str) -> str:
    """Return a file name as all write it, so that ./a//b.png is no other file than a/b.png."""
    return "/".join(part for k, part in enumerate(name.split("/")) if part != "." and (part or not k))


def unmarked(data: mmap.mmap) -> mmap.mmap | bytes:
    """Return a text without the mark that editors of Windows leave before it."""
    return data[len(BOM_UTF8) :] if data[: len(BOM_UTF8)] == BOM_UTF8 else data


def _decoded(data: mmap.mmap, masks: bool, path: Path) -> Coco:
    text = unmarked(data)
    try:
        if not masks:
            return cast(Coco, msgspec.json.decode(text, type=_Boxes))
        coco = msgspec.json.decode(text, type=Coco)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(f"{path}: {coco_errors.explain(data, error)}") from None
    for annotation in coco.annotations:  # masks point into the file's memory, which closes
        annotation.segmentation = annotation.segmentation.copy()
    return coco


def check(coco: Coco, path: Path | str) -> None:
    """Refuse what no later stage could survive: no images, ids or names twice, names that leave the folder, …

    What can be reported and mended (boxes outside, empty boxes, orphans) is left to the health check.
    """
    if not coco.images:
        raise Problem(f"{path}: there are no images in it")
    for what, entries in (("image", coco.images), ("annotation", coco.annotations), ("category", coco.categories)):
        if (twice := _first_twice(e.id for e in entries)) is not None:
            raise Problem(f"{path}: two {what} entries have the id {twice}")
    if (name := _first_twice(i.file_name for i in coco.images)) is not None:
        raise Problem(f"{path}: two images have the file name {name!r}")
    for image in coco.images:
        files.relative_name(image.file_name, f"{path}: image {image.id}")
    names = {image.file_name for image in coco.images}
    if both := {folder for name in names for folder in _folders(name) if folder in names}:
        raise Problem(f"{path}: {min(both)!r} is an image, and a folder in which another lies")
    if (name := _first_twice(c.name for c in coco.categories)) is not None:
        raise Problem(f"{path}: two categories have the name {name!r}")
    refuse_alike(coco.categories, path)
    for image in coco.images:
        if image.width <= 0 or image.height <= 0:
            raise Problem(f"{path}: image {image.id}: width and height must be positive")
        if image.width * image.height > MOST_PIXELS:
            raise Problem(f"{path}: image {image.id}: more than {MOST_PIXELS:,} pixels cannot be opened")
    known = {c.id for c in coco.categories}
    for annotation in coco.annotations:
        if annotation.category_id not in known:
            raise Problem(f"{path}: annotation {annotation.id}: no category has the id {annotation.category_id}")


def refuse_alike(categories: Iterable[Category], path: Path | str) -> None:
    """Raise a Problem where a category has no name, or two have names that differ, but that nobody can tell apart."""
    alike: dict[str, str] = {}
    for category in categories:
        if not (meant := unicodedata.normalize("NFC", category.name).strip().casefold()):
            raise Problem(f"{path}: category {category.id} has no name")
        if (other := alike.setdefault(meant, category.name)) != category.name:
            raise Problem(f"{path}: the categories {other!r} and {category.name!r} differ in nothing that can be seen, "
                          "or in capitals alone; make them one")  # fmt: skip


def _folders(name: str) -> Iterator[str]:
    """Yield the folders that a file lies in, one after the other: of a long name they take much room."""
    while name := name.rpartition("/")[0]:
        yield name


def _first_twice(values: Iterable[Any]) -> Any:
    seen = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None


def write(path: Path | str, coco: Coco) -> None:
    files.write(path, msgspec.json.format(msgspec.json.encode(coco), indent=1) + b"\n")


def by_image(coco: Coco) -> dict[int, list[Annotation]]:
    """Return each image's annotations by its id; images without any are there too, orphaned annotations are not."""
    found: dict[int, list[Annotation]] = {image.id: [] for image in coco.images}
    for annotation in coco.annotations:
        if annotation.image_id in found:
            found[annotation.image_id].append(annotation)
    return found


def subset(coco: Coco, image_ids: Iterable[int]) -> Coco:
    """Return the images with these ids, in this order, with their annotations and all categories."""
    images, annotations = {image.id: image for image in coco.images}, by_image(coco)
    chosen = [images[i] for i in image_ids]
    return Coco(chosen, coco.categories, [a for image in chosen for a in annotations[image.id]])


def group_of(image: Image, mapping: dict[str, list[str]]) -> str:
    """Return the product group of an image: by the mapping's file-name patterns if there is one, else its first
    folder."""
    if mapping:
        for group, patterns in mapping.items():
            if any(fnmatch.fnmatch(image.file_name, pattern) for pattern in patterns):
                return group
        raise Problem(f"image {image.id} ({image.file_name}): no pattern of dataset.groups matches it")
    folder, slash, _ = image.file_name.partition("/")
    return folder_group(folder) if slash else "ungrouped"


def folder_group(folder: str) -> str:
    """Return the name of the group that a folder's images are."""
    name = re.sub(r"[^a-z0-9]+", "_", folder.lower()).strip("_")
    return name if name[:1].isalpha() else f"group_{name}"


def grouped(coco: Coco, mapping: dict[str, list[str]]) -> dict[str, list[Image]]:
    """Return each group's images by its name, groups and images in the dataset's order."""
    groups: dict[str, list[Image]] = {}
    folders: dict[str, str] = {}
    for image in coco.images:
        group = group_of(image, mapping)
        groups.setdefault(group, []).append(image)
        folder, slash, _ = image.file_name.partition("/")
        if not mapping and slash and folders.setdefault(group, folder) != folder:
            raise Problem(f"the folders {folders[group]!r} and {folder!r} would be one product, {group}: rename one, "
                          "or say in dataset.groups what is a product")  # fmt: skip
    return groups


def class_names(coco: Coco) -> list[str]:
    """Return each class's name by its number (0, 1, …): the categories in the order of their ids, without the gaps."""
    return [c.name for c in sorted(coco.categories, key=lambda c: c.id)]


def class_numbers(coco: Coco) -> dict[int, int]:
    """Return each category's class number by its id."""
    return {id_: number for number, id_ in enumerate(sorted(c.id for c in coco.categories))}

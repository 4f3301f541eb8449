"""A product that has arrived: whether its folder can be used, and how it joins the dataset.

A folder holds `images/`, `annotations.json` (COCO), `product.yaml` and, if there is one, `test/` with `images/` and
`annotations.json` of its own, which is for testing only.
"""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct

from stages import files, plain_yaml, provenance
from stages.dataset import coco, fixes, near_duplicates, photo, segmentation
from stages.dataset.near_duplicates import Traits
from stages.problem import Problem
from stages.settings import Dataset, Split

IDS = 10_000_000  # image and annotation ids that each arrival has to itself
READY, REASON = "READY", "reason.json"  # beside a product, and no part of it
BLOCKS = 2**53 // IDS  # of so many ids; larger ones would not be exact wherever JSON is read
TEST = "../test/images/"  # where test images lie, as seen from the training images' folder
MEANT = ("focus", "other", "rest", "every", "but_focus", "but_other", "none")  # words that stand for groups, or none
STRIDE, LEAST_CROP, LARGEST = 32, 96, 640  # pixels: that detectors see at a time, of squares, and of whole pictures
ROOM = 1.5  # times an object's longer side: of squares
COPIES = 0.5  # share of its images that are another product's, from which on it is no new product


class About(Struct, forbid_unknown_fields=True):
    """The content of an arrival's product.yaml."""

    classes: list[str] = []  # that the dataset does not have yet
    real: bool = False  # a product of the user's own, beside which the built-in world's count for nothing


def check_name(name: str, known: coco.Coco, groups: dict[str, list[str]]) -> None:
    """Raise a Problem where an arrival of this name would be no group of its own in the dataset that there is.

    groups: names of groups → patterns of file names, as in params.yaml.
    """
    if name in MEANT:
        raise Problem(f"{name}: in params.yaml this word means another group; give the product another name")
    if (group := coco.folder_group(name)) != name:
        raise Problem(f"{name}: its group would be called {group}; name the folder so")
    taken = {*groups, *coco.grouped(known, groups), *(coco.group_of(image, {}) for image in known.images)}
    if name in taken:
        raise Problem(f"{name}: the dataset has a group or a folder of this name; give the product another")


def check(folder: Path, known: coco.Coco, theirs: list[Traits], least: int, near: Split) -> coco.Coco:
    """Return an arrived product's annotations, its test images among them; raise a Problem that says why it cannot be
    used.

    known, theirs: the dataset that there is, and the traits of its images. least: training images it must bring.
    near: what makes two images the same.
    """
    for path in folder.rglob("*"):
        if path.is_symlink():
            raise Problem(f"{path.relative_to(folder)}: a link; only files and folders are taken")
        if not (path.is_file() or path.is_dir()):
            raise Problem(f"{path.relative_to(folder)}: neither a file nor a folder")  # reading a pipe never ends
    declared = {category.name for category in known.categories} | set(about(folder).classes)
    dataset = joined(folder)
    training = [image for image in dataset.images if image.split != "test"]
    if len(training) < least:
        raise Problem(f"{len(training)} training images; at least {least} are needed")
    if unknown := sorted({c.name for c in used(dataset)} - declared):
        raise Problem(f"unknown classes {', '.join(unknown)}; the dataset has {', '.join(sorted(declared))}. "
                      "New ones have to be listed under `classes` in product.yaml")  # fmt: skip
    coco.refuse_alike([*known.categories, *used(dataset)], folder / "annotations.json")  # once they are one dataset
    if not any(inside(dataset, {image.id for image in training})):
        raise Problem("its training images show no object at all")
    mine = traits(folder / "images", dataset.images)
    same = near_duplicates.alike([of for of, i in zip(mine, dataset.images, strict=True) if i.split != "test"], near)
    if (unlike := len(training) - sum(len(cluster) - 1 for cluster in same)) < least:
        raise Problem(f"of {len(training)} training images only {unlike} are not nearly the same as another; at least "
                      f"{least} are needed")  # fmt: skip
    if known.images:
        refuse_copies(mine, dataset, theirs, known, near)
    return dataset


def inside(dataset: coco.Coco, images: set[int]) -> Iterator[coco.Annotation]:
    """Yield the objects of some images, by ids, that are no crowds, and of which at least a part is in the image."""
    sizes = {image.id: (image.width, image.height) for image in dataset.images}
    for of in dataset.annotations:
        if of.image_id in images and not of.iscrowd:
            (x, y, wide, high), (width, height) = of.bbox, sizes[of.image_id]
            if min(x + wide, width) > max(x, 0) and min(y + high, height) > max(y, 0):
                yield of


def refuse_copies(mine: list[Traits], dataset: coco.Coco, theirs: list[Traits], known: coco.Coco, near: Split) -> None:
    """Raise a Problem where most of a product's images are in the dataset that there is."""
    same = near_duplicates.alike([*mine, *theirs], near)
    twice = {k for cluster in same if any(m >= len(mine) for m in cluster) for k in cluster if k < len(mine)}
    if len(twice) >= COPIES * len(dataset.images):
        like = next(m for cluster in same for m in cluster if m >= len(mine) and twice & set(cluster))
        other = known.images[like - len(mine)].file_name
        raise Problem(f"{len(twice)} of its {len(dataset.images)} images are in the dataset already, such as {other}")


def seen_at(dataset: coco.Coco, pixels: int) -> tuple[int, int]:
    """Return how large a product has to be looked at, in pixels and multiples of STRIDE: the longer side of pictures in
    which most objects are at least `pixels` on their shorter side, but no larger than most photographs are, nor than
    LARGEST; and the side of squares of these that most objects have room in."""
    images = {image.id: image for image in dataset.images}
    longer = {id_: max(image.width, image.height) for id_, image in images.items()}
    boxes = [(fixes.clipped(of.bbox, images[of.image_id]), longer[of.image_id]) for of in inside(dataset, set(images))]
    short, long = np.median([np.sort(box[2:]) / side for box, side in boxes], axis=0)
    whole = _strides(min(pixels / short, float(np.median(list(longer.values()))), LARGEST))
    return whole, max(LEAST_CROP, min(whole, _strides(ROOM * long * whole)))


def _strides(pixels: float) -> int:
    return STRIDE * math.ceil(pixels / STRIDE)


def before(annotations: Path, params: Dataset, real: bool) -> coco.Coco:
    """Return the dataset to which a product comes, as the health check left it. To a real one the built-in world's
    products are none."""
    drawn = real and params.source == "bins"
    if drawn and not params.arrived:
        return coco.Coco([], [], [])
    known = coco.read(annotations)
    groups = coco.grouped(known, params.groups)
    if not drawn:
        return known
    left = coco.subset(known, [i.id for name in params.arrived for i in groups[name]])
    return coco.Coco(left.images, used(left), left.annotations)


def about(folder: Path) -> About:
    """Return an arrival's product.yaml, checked."""
    path = folder / "product.yaml"
    if path.is_symlink() or not path.is_file():  # what is no file may never end
        raise Problem("product.yaml is missing, or is no file")
    return plain_yaml.read(path, About)


def joined(folder: Path) -> coco.Coco:
    """Return training and test images as one dataset, declared as such.

    Test images lie in test/, or are declared in annotations.json. Where there are none, all are to train on: ten images
    are too few to give some of them away, and the gate looks at them fold by fold.
    """
    dataset = read(folder)
    for image in dataset.images:
        image.split = "test" if image.split == "test" else "train"
    if not (folder / "test").is_dir():
        return dataset
    test = read(folder / "test")
    return merged(dataset, test, TEST.rstrip("/"), "test")


def read(folder: Path) -> coco.Coco:
    """Return a folder's annotations; raise a Problem where an image is missing, of another size or named outside of it,
    a mask cannot be read, or boxes are not in its pixels."""
    dataset = coco.read(folder / "annotations.json")
    check_boxes(dataset, folder / "annotations.json")
    annotations = coco.by_image(dataset)
    for image in dataset.images:
        photo.check_size(folder / "images" / image.file_name, image.width, image.height)
        for annotation in annotations[image.id]:
            segmentation.check(annotation, image.width, image.height)
    return dataset


def check_boxes(dataset: coco.Coco, path: Path) -> None:
    """Raise a Problem where a box is farther away than photographs are large, or all boxes of a file lie inside one
    pixel: they are given in another unit."""
    for of in dataset.annotations:
        if max(map(abs, of.bbox)) > segmentation.FAR:
            raise Problem(f"{path}: annotation {of.id}: its box {of.bbox} is in no photograph")
    boxes = [of.bbox for of in dataset.annotations if min(of.bbox[2:]) > 0]
    if boxes and all(min(x, y) >= 0 and max(x + w, y + h) <= 1 for x, y, w, h in boxes):
        raise Problem(f"{path}: its boxes are shares of the picture, from 0 to 1; pixels are needed")


def merged(dataset: coco.Coco, more: coco.Coco, place: str, split: coco.Part | None, base: int = 0) -> coco.Coco:
    """Return two datasets as one.

    Of the second, files are named under `place`, ids start after `base` or the first's own, and categories are those of
    the same name.
    """
    numbers = {category.name: category.id for category in dataset.categories}
    new = [category for category in used(more) if category.name not in numbers]
    highest = _last(dataset.categories, len(new))
    numbers |= {category.name: highest + k for k, category in enumerate(new, 1)}
    categories = [*dataset.categories, *(coco.Category(numbers[c.name], c.name, c.supercategory) for c in new)]
    name_of = {category.id: category.name for category in more.categories}
    image_base = base or _last(dataset.images, len(more.images))
    box_base = base or _last(dataset.annotations, len(more.annotations))
    image_ids = {image.id: image_base + k for k, image in enumerate(more.images, 1)}
    images = [
        coco.Image(image_ids[i.id], f"{place}/{i.file_name}", i.width, i.height, split or i.split) for i in more.images
    ]
    annotations = [
        msgspec.structs.replace(
            a, id=box_base + k, image_id=image_ids[a.image_id], category_id=numbers[name_of[a.category_id]]
        )
        for k, a in enumerate((a for a in more.annotations if a.image_id in image_ids), 1)
    ]
    return coco.Coco([*dataset.images, *images], categories, [*dataset.annotations, *annotations])


def _last(entries: Sequence[coco.Image | coco.Box | coco.Category], more: int) -> int:
    """Return the highest id; raise a Problem where no room is left for so many more above it."""
    last = max((entry.id for entry in entries), default=0)
    if last + more >= 2**63:
        raise Problem(f"an id of {last} leaves none for others; give it a smaller one")
    return last


def used(dataset: coco.Coco) -> list[coco.Category]:
    """Return the categories that have objects."""
    ids = {a.category_id for a in dataset.annotations}
    return [category for category in dataset.categories if category.id in ids]


def traits(folder: Path, images: list[coco.Image]) -> list[Traits]:
    """Return what a folder's pictures are compared by; raise a Problem where one cannot be read."""

    def one(image: coco.Image) -> Traits:
        return near_duplicates.traits(photo.load(folder / image.file_name, image.width, image.height))

    with ThreadPoolExecutor(provenance.cores()) as pool:
        return list(pool.map(one, images))


def tidy(folder: Path, dataset: coco.Coco, into: Path) -> None:
    """Write a checked product into one plain folder: images/ and annotations.json, the test images declared in
    there."""
    folders = {image.file_name.partition("/")[0] for image in dataset.images}
    tests = next(name for k in count() if (name := f"test_{k}" if k else "test") not in folders)
    for image in dataset.images:
        source = folder / "images" / image.file_name
        if image.file_name.startswith(TEST):
            image.file_name = f"{tests}/{image.file_name.removeprefix(TEST)}"
        target = into / "images" / image.file_name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    coco.write(into / "annotations.json", dataset)


def join(source: Path, products: Path, names: list[str]) -> None:
    """Put products that have arrived into the source dataset, each as a group of its name."""
    if not names:
        return
    first = source / "annotations.json"
    dataset = coco.read(first) if first.exists() else coco.Coco([], [], [])
    for name in names:
        folder = products / name
        more = coco.read(folder / "annotations.json")
        dataset = merged(dataset, more, name, None, first_id(name))
        for image in more.images:
            target = source / "images" / name / image.file_name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / "images" / image.file_name, target)
    coco.check(dataset, source / "annotations.json")
    coco.write(source / "annotations.json", dataset)


def first_id(name: str) -> int:
    """Return the id after which an arrival's ids begin. Its name alone decides, so that a fix declared for one of its
    images means the same image whatever comes and goes beside it."""
    return IDS * (1 + int(hashlib.sha256(name.encode()).hexdigest(), 16) % (BLOCKS - 2))


def content(folder: Path) -> str:
    """Return what tells one arrival's content from another's. Of a link that is where it leads: what is there is not
    the arrival's, and may never end."""
    listed = sorted(p for p in folder.rglob("*") if (p.is_symlink() or p.is_file()) and p.name not in (READY, REASON))
    return files.fingerprint([
        [str(p.relative_to(folder)), str(p.readlink()) if p.is_symlink() else files.digest(p)] for p in listed
    ])  # fmt: skip

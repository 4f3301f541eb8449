"""Label photographs of a product that nobody annotated (data/labelled/<product>, COCO with lineage).

They lie in data/unlabelled/<the product's group>/; beside them stand the product's training photographs outside the
subset that its judge may see, as if nobody had annotated these. Two detectors of one arm have to see the same in
enough mirrored views of a photograph, or it is left out: an object without a label would teach that it is background.
Each box gets the outline of an annotated object that fits it, because a box alone must not be turned.

What annotations say of the photographs is read last, and only to tell how right the labels are.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import msgspec
import numpy as np

from stages import command, files, paths, progress, settings
from stages.boxes import within
from stages.dataset import coco, near_duplicates, photo
from stages.dataset.formats.found import listed
from stages.dataset.near_duplicates import Traits
from stages.extract import cutouts, object_mask
from stages.feedback import label_quality, labels, outlines
from stages.feedback.accept import AcceptedImage
from stages.feedback.labels import LabelledObjects
from stages.feedback.outlines import Outlines
from stages.problem import Problem
from stages.settings import Feedback, Split

AGREEING = 2  # detectors of the arm, of different seeds
FACTS = "labelled.json"  # beside the labelled photographs


@dataclass(frozen=True)
class Unlabelled:
    """One to be labelled. An image of the dataset, whose annotations are withheld, keeps its id."""

    id: int
    name: str
    path: Path


@dataclass(frozen=True)
class Labellers:
    """Detectors that have to agree, the size that they look at, and the folders that they were trained on."""

    weights: list[Path]
    imgsz: int
    trained_on: list[str]


@dataclass(frozen=True)
class Reduced:
    """A photograph reduced to the detectors' size, and what tells it from others."""

    photograph: Unlabelled
    width: int
    height: int
    small: np.ndarray
    traits: Traits


def main(product: str) -> None:
    params = settings.load()
    dataset, split, group = coco.read(paths.ANNOTATIONS), files.read_json(paths.SPLIT), params.group(product)
    own = paths.SUBSETS / params.known_subset(product)
    annotated = {image.id for image in coco.read(own / "annotations.json", masks=False).images}
    mine = coco.grouped(dataset, params.dataset.groups)[group]
    asked = [
        *withheld(mine, {*split["train"]} - annotated),
        *given(paths.UNLABELLED / group, 1 + max(image.id for image in dataset.images)),
    ]
    held = withheld(mine, {*split["val"], *split["test"]})
    by = labellers(paths.DETECTORS / product / params.feedback.labellers)
    with files.replacing(paths.LABELLED / product) as folder:
        labelled, left_out = label(asked, held, by, own, params.feedback, params.split)
        write(folder, labelled, asked)
        facts = {"photographs": len(asked), "labelled": len(labelled.images), "left_out": dict(left_out)}
        files.write_json(folder / FACTS, facts | {"withheld": measured(labelled, dataset, asked)})
    print(f"{product}: {len(asked)} photographs, {len(labelled.images)} labelled; left out: {dict(left_out) or 'none'}")


def withheld(images: Iterable[coco.Image], chosen: set[int]) -> list[Unlabelled]:
    """Return those images of the dataset that are chosen, without what is known of them."""
    return [Unlabelled(i.id, i.file_name, paths.SOURCE_IMAGES / i.file_name) for i in images if i.id in chosen]


def given(folder: Path, first: int) -> list[Unlabelled]:
    """Return all files of a folder, which need not be there, under ids from `first` on."""
    numbered = zip(count(first), listed(folder))
    return [Unlabelled(k, f"unlabelled/{path.relative_to(folder)}", path) for k, path in numbered]


def labellers(arm: Path) -> Labellers:
    """Return the detectors in an arm's folder that have to agree."""
    weights, run = sorted(arm.glob("*.pt"))[:AGREEING], files.read_json(arm / "run.json")
    if len(weights) < AGREEING:
        raise Problem(f"{arm}: {AGREEING} detectors have to agree on a photograph; the arm has {len(weights)} seed")
    return Labellers(weights, run["imgsz"], [folder for folder, images in run["images"].items() if images])


def label(
    asked: list[Unlabelled], held: list[Unlabelled], by: Labellers, own: Path, rule: Feedback, near: Split
) -> tuple[coco.Coco, Counter[str]]:
    """Return the photographs on whose objects the detectors agree, with outlines, and why how many others are left out.

    held: photographs that what is trained on the labels is going to be tested on; what is nearly one of them is left
    out. own: folder of the product's annotated images. near: what makes two photographs the same.
    """
    categories = coco.read(own / "annotations.json", masks=False).categories
    ids, known = sorted(category.id for category in categories), outlines.known(cutouts.scenes(own)[0])
    shown, left_out = [], Counter()
    for photograph in progress.bar(asked, what="reading photographs nobody annotated", unit="photograph"):
        try:
            shown.append(read(photograph, by.imgsz))
        except photo.Unreadable as why:
            print(why)
            left_out["not a whole picture"] += 1
    strange = unlike(shown, [read(photograph, by.imgsz) for photograph in held], near)
    left_out["nearly a photograph to test on"] += len(shown) - len(strange)
    images, annotations = [], []
    for one, found in zip(strange, agreed(strange, by, rule), strict=True):
        if isinstance(found, str):
            left_out[found] += 1
            continue
        image = AcceptedImage(
            one.photograph.id, one.photograph.name, one.width, one.height,
            lineage={"parents": ";".join(by.trained_on), "sure": round(float(found.confidence.mean()), 4)},
        )  # fmt: skip
        images.append(image)
        annotations += outlined(found, image, photo.shown(one.photograph.path), known, ids, len(annotations))
    return coco.Coco(images, categories, annotations), +left_out


def read(photograph: Unlabelled, imgsz: int) -> Reduced:
    """Return a photograph as the detectors look at it; raise Unreadable where it is no whole picture."""
    pixels = photo.shown(photograph.path)
    height, width = pixels.shape[:2]
    return Reduced(photograph, width, height, photo.fit(pixels, imgsz), near_duplicates.traits(pixels))


def unlike(shown: list[Reduced], held: list[Reduced], near: Split) -> list[Reduced]:
    """Return the photographs that are not nearly one of those that are held out."""
    same = near_duplicates.alike([one.traits for one in [*held, *shown]], near)
    of_held = {k - len(held) for cluster in same if min(cluster) < len(held) for k in cluster}
    return [one for k, one in enumerate(shown) if k not in of_held]


def agreed(shown: list[Reduced], by: Labellers, rule: Feedback) -> list[LabelledObjects | str]:
    """Return what the detectors see in each photograph, or why it is left out. Pictures of one shape are looked at
    together."""
    said: dict[int, LabelledObjects | str] = {}
    for places in photo.by_shape([one.small for one in shown]):
        pixels = np.stack([shown[k].small for k in places])
        said |= zip(places, labels.label(pixels, by.weights, by.imgsz, rule), strict=True)
    return [said[k] for k in range(len(shown))]


def outlined(
    found: LabelledObjects, image: coco.Image, pixels: np.ndarray, known: dict[int, Outlines], ids: list[int],
    before: int,
) -> list[coco.Annotation]:  # fmt: skip
    """Return a photograph's objects as annotations with outlines, numbered after those `before`. An object of a class
    that was never annotated has its box alone."""
    made, small = [], photo.fit(pixels, object_mask.LARGEST)
    frame = np.array([image.width, image.height] * 2)
    for box, number in zip((within(found.boxes) * frame).round(2).tolist(), found.classes, strict=True):
        annotation = coco.Annotation(before + len(made) + 1, image.id, ids[number], tuple(box), area=box[2] * box[3])
        if annotation.category_id in known:
            seen, _ = object_mask.outline(annotation, image, small)
            part = seen[object_mask.place(annotation, image, small)]
            outline = outlines.fitted(annotation.bbox, image.width, part, known[annotation.category_id])
            annotation.segmentation = msgspec.Raw(msgspec.json.encode([outline.round(2).ravel().tolist()]))
        made.append(annotation)
    return made


def write(folder: Path, labelled: coco.Coco, asked: list[Unlabelled]) -> None:
    """Put labelled photographs, as they are, and their annotations into a folder."""
    place = {one.id: one.path for one in asked}
    for image in labelled.images:
        target = folder / "images" / image.file_name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(place[image.id], target)
    coco.write(folder / "annotations.json", labelled)


def measured(labelled: coco.Coco, truth: coco.Coco, asked: list[Unlabelled]) -> dict[str, float]:
    """Return how right the labels are of those photographs that the dataset has annotations of; nothing without any."""
    numbers, said, known = coco.class_numbers(truth), coco.by_image(labelled), coco.by_image(truth)
    images = sum(one.id in known for one in asked)
    there = [(of(said[i.id], numbers), of(known[i.id], numbers)) for i in labelled.images if i.id in known]
    return label_quality.rightness([(one, two.boxes, two.classes) for one, two in there], images) if images else {}


def of(annotations: list[coco.Annotation], numbers: dict[int, int]) -> LabelledObjects:
    """Return a photograph's annotations as objects, in pixels."""
    return LabelledObjects(
        np.array([a.bbox for a in annotations], float).reshape(-1, 4),
        np.array([numbers[a.category_id] for a in annotations], int), np.ones(len(annotations)),
    )  # fmt: skip


if __name__ == "__main__":
    command.run(main, __doc__, product="focus")

"""What a health check can find in a dataset, and the finding of it."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from stages import boxes
from stages.dataset import coco, fixes, segmentation
from stages.problem import Problem
from stages.settings import Settings

STRANGER = 0.1  # a class below this share of its group's objects is a stranger there …
USUAL = 0.5  # … where another has this share: not in a group of many classes
ROUNDED = 2  # pixels by which tools differ in an outline's box …
ALIKE = 0.5  # … and how much the two have to overlap otherwise (intersection over union)


@dataclass(frozen=True)
class Finding:
    """One thing that a person should know, with the ids that it is about."""

    kind: str
    says: str
    images: tuple[int, ...] = ()
    annotations: tuple[int, ...] = ()


@dataclass(frozen=True)
class Look:
    """What was found when one picture's file was opened."""

    image: int
    problem: str | None
    turned: bool
    content: str
    traits: tuple[np.uint64, np.ndarray] | None


KINDS = {
    "unreadable": "Pictures that cannot be used",
    "orphan": "Annotations without their image (left out)",
    "class_against_group": "Objects whose class does not fit their group",
    "under_represented": "Classes with few objects",
    "empty_box": "Boxes without area (no label is written for them)",
    "crowd": "Crowds (no label is written for them)",
    "double": "Objects annotated twice in the same way (one is left out: trainings would drop it, too)",
    "out_of_bounds": "Boxes that leave their image (clipped when converted)",
    "outline": "Outlines that are not where their boxes are, or cannot be read",
    "no_annotations": "Images without annotations (kept, as empty bins)",
    "turned": "Files with an EXIF rotation (turned as their annotations need it)",
    "duplicate": "The same file twice",
    "near_duplicate": "Nearly the same picture (kept on one side of the split)",
}


def inspect(dataset: coco.Coco, looks: list[Look], near: list[list[int]], params: Settings) -> list[Finding]:
    """Return all findings of a dataset, in the order of KINDS."""
    images = {image.id: image for image in dataset.images}
    looks = [one for one in looks if one.image in images]
    found = [Finding("unreadable", one.problem, (one.image,)) for one in looks if one.problem]
    found += [Finding("turned", images[one.image].file_name, (one.image,)) for one in looks if one.turned]
    found += _of_boxes(dataset, images)
    found += _of_classes(dataset, params)
    per_image = coco.by_image(dataset)
    found += [Finding("no_annotations", images[i].file_name, (i,)) for i, of in per_image.items() if not of]
    same: dict[str, list[int]] = {}
    for one in looks:
        if one.content:
            same.setdefault(one.content, []).append(one.image)
    found += [Finding("duplicate", _names(ids, images), tuple(ids)) for ids in same.values() if len(ids) > 1]
    exact = {frozenset(ids) for ids in same.values()}
    found += [
        Finding("near_duplicate", _names(ids, images), tuple(ids))
        for ids in near
        if frozenset(ids) not in exact and all(i in images for i in ids)
    ]
    return sorted(found, key=lambda f: list(KINDS).index(f.kind))


def _names(ids: list[int], images: dict[int, coco.Image]) -> str:
    return ", ".join(images[i].file_name for i in ids[:6]) + (f" and {len(ids) - 6} more" if len(ids) > 6 else "")


def _of_boxes(dataset: coco.Coco, images: dict[int, coco.Image]) -> list[Finding]:
    found = [Finding("double", f"{len(ids)} times", (image,), ids) for image, ids in fixes.doubles(dataset)]
    for a in dataset.annotations:
        image = images.get(a.image_id)
        if image is None:
            found.append(Finding("orphan", f"names image {a.image_id}, which does not exist", (), (a.id,)))
            continue
        x, y, w, h = (round(v, 2) for v in a.bbox)
        inside = fixes.clipped(a.bbox, image)
        if a.iscrowd:
            found.append(Finding("crowd", f"{w} × {h} at {x}, {y}", (a.image_id,), (a.id,)))
            continue
        if min(inside[2:]) <= 0 or min(w, h) <= 0:
            found.append(Finding("empty_box", f"{w} × {h} at {x}, {y}", (a.image_id,), (a.id,)))
            continue
        if not all(math.isclose(p, q, abs_tol=0.5) for p, q in zip(inside, a.bbox, strict=True)):
            says = f"{w} × {h} at {x}, {y} in an image of {image.width} × {image.height}"
            found.append(Finding("out_of_bounds", says, (a.image_id,), (a.id,)))
        if says := _of_outline(a, np.array(inside), image):
            found.append(Finding("outline", says, (a.image_id,), (a.id,)))
    return found


def _of_outline(annotation: coco.Annotation, box: np.ndarray, image: coco.Image) -> str | None:
    """Return what is wrong with an object's outline: detectors may be trained on it, and are tested on the box."""
    try:
        parts = segmentation.polygons(annotation, image.width, image.height)
    except Problem as problem:
        return str(problem)
    if not parts:
        return None
    low, high = (limit(np.concatenate(parts), axis=0) for limit in (np.min, np.max))
    bounds = np.concatenate([low, high - low])
    edges = np.abs(np.concatenate([low, high]) - np.concatenate([box[:2], box[:2] + box[2:]]))
    if edges.max() <= ROUNDED or boxes.overlaps(bounds[None], box[None])[0, 0] >= ALIKE:
        return None
    (x, y, w, h), (left, top, across, down) = bounds.round(2).tolist(), box.round(2).tolist()
    return f"an outline of {w} × {h} at {x}, {y}, a box of {across} × {down} at {left}, {top}"


def _of_classes(dataset: coco.Coco, params: Settings) -> list[Finding]:
    names = {c.id: c.name for c in dataset.categories}
    groups = {image.id: coco.group_of(image, params.dataset.groups) for image in dataset.images}
    counts: dict[str, Counter] = {group: Counter() for group in groups.values()}
    for a in dataset.annotations:
        if a.image_id in groups:
            counts[groups[a.image_id]][a.category_id] += 1
    usual = {group: of.most_common(1)[0] for group, of in counts.items() if of}
    strangers: dict[tuple[int, int], list[int]] = {}
    for a in dataset.annotations:
        if a.image_id not in groups:
            continue
        of_group, (_, most) = counts[groups[a.image_id]], usual[groups[a.image_id]]
        if of_group[a.category_id] < STRANGER * of_group.total() and most >= USUAL * of_group.total():
            strangers.setdefault((a.image_id, a.category_id), []).append(a.id)
    found = []
    for (image, category), ids in strangers.items():
        says = f"{len(ids)} × {names[category]} in group {groups[image]}, which holds {names[usual[groups[image]][0]]}"
        found.append(Finding("class_against_group", says, (image,), tuple(ids)))
    total = sum(counts.values(), Counter())
    few = params.dataset.few_instances
    return found + [
        Finding("under_represented", f"{name}: {total[id_]} objects, fewer than {few}")
        for id_, name in names.items()
        if total[id_] < few
    ]

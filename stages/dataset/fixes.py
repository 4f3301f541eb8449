"""The corrections that params.yaml declares: reclassify, clip, drop. Each one is recorded."""

from __future__ import annotations

import math

from msgspec.structs import replace

from stages.dataset.coco import Annotation, Coco, Image
from stages.problem import Problem
from stages.settings import Fix


def apply(dataset: Coco, fixes: list[Fix]) -> tuple[Coco, list[dict]]:
    """Return the dataset after all `fixes`, in order, and what each changed. An id that is not there is a Problem."""
    record = []
    for number, fix in enumerate(fixes):
        where = f"dataset.fixes[{number}]"
        if fix.image is not None and all(image.id != fix.image for image in dataset.images):
            raise Problem(f"{where}: there is no image {fix.image}")
        if fix.annotation is not None and all(a.id != fix.annotation for a in dataset.annotations):
            raise Problem(f"{where}: there is no annotation {fix.annotation}")
        if fix.to is not None and all(c.id != fix.to for c in dataset.categories):
            known = ", ".join(f"{c.id} ({c.name})" for c in dataset.categories)
            raise Problem(f"{where}: there is no category {fix.to}; there are {known}")
        dataset, changed = _CHANGES[fix.do](dataset, fix)
        record.append(
            {"do": fix.do, "image": fix.image, "annotation": fix.annotation, "to": fix.to, "changed": changed}
        )
    return dataset, record


def doubles(dataset: Coco) -> list[tuple[int, tuple[int, ...]]]:
    """Return image and annotation ids of objects that are annotated several times, with the same class and box."""
    same: dict[tuple, list[int]] = {}
    for a in dataset.annotations:
        same.setdefault((a.image_id, a.category_id, a.bbox), []).append(a.id)
    return [(image, tuple(ids)) for (image, *_), ids in same.items() if len(ids) > 1]


def once(dataset: Coco) -> Coco:
    """Return the dataset with each object annotated once: of doubles the first stays."""
    more = {id_ for _, ids in doubles(dataset) for id_ in ids[1:]}
    return Coco(dataset.images, dataset.categories, [a for a in dataset.annotations if a.id not in more])


def _meant(annotation: Annotation, fix: Fix) -> bool:
    if fix.annotation is not None:
        return annotation.id == fix.annotation
    return fix.image is None or annotation.image_id == fix.image


def _reclassify(dataset: Coco, fix: Fix) -> tuple[Coco, int]:
    changed = [replace(a, category_id=fix.to) if _meant(a, fix) else a for a in dataset.annotations]
    count = sum(_meant(a, fix) and a.category_id != fix.to for a in dataset.annotations)
    return Coco(dataset.images, dataset.categories, changed), count


def _drop(dataset: Coco, fix: Fix) -> tuple[Coco, int]:
    images = [image for image in dataset.images if image.id != fix.image]
    kept = [a for a in dataset.annotations if not _meant(a, fix)]
    dropped = len(dataset.images) - len(images) + len(dataset.annotations) - len(kept)
    return Coco(images, dataset.categories, kept), dropped


def _clip(dataset: Coco, fix: Fix) -> tuple[Coco, int]:
    images = {image.id: image for image in dataset.images}
    kept, count = [], 0
    for annotation in dataset.annotations:
        image = images.get(annotation.image_id)
        inside = clipped(annotation.bbox, image) if image and _meant(annotation, fix) else annotation.bbox
        count += inside != annotation.bbox
        kept.append(annotation if inside == annotation.bbox else replace(annotation, bbox=inside))
    return Coco(dataset.images, dataset.categories, kept), count


_CHANGES = {"reclassify": _reclassify, "drop": _drop, "clip": _clip}


def clipped(box: tuple[float, float, float, float], image: Image) -> tuple[float, float, float, float]:
    """Return the part of a box inside its image; a box that is already inside comes back unchanged."""
    x, y, w, h = box
    left, top = min(max(x, 0.0), image.width), min(max(y, 0.0), image.height)
    right, bottom = max(min(x + w, image.width), left), max(min(y + h, image.height), top)
    inside = (left, top, right - left, bottom - top)
    same = all(math.isclose(a, b, abs_tol=1e-6) for a, b in zip(inside, box, strict=True))
    return box if same else inside

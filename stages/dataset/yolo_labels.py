"""COCO annotations as YOLO label rows, past the traps that converters fall into.

Category ids with gaps become 0, 1, …; boxes and polygons are clipped to their image; crowd regions, empty boxes and
orphans make no row; every image gets a label file, an empty one too; no two images share a label file's name.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
from scipy.spatial import KDTree

from stages import files
from stages.dataset import coco, segmentation

MOST_PARTS = 100  # of an outline
PIXEL = 1.0  # by which an outline's ends may lie off its box's


@dataclass
class Tally:
    """What became of the annotations."""

    rows: int = 0
    clipped: int = 0
    empty: int = 0
    crowds: int = 0
    orphans: int = 0
    without_mask: int = 0


@dataclass(frozen=True)
class Usable:
    """All annotations that become rows, as arrays ordered by image."""

    order: np.ndarray  # position in dataset.annotations
    numbers: np.ndarray  # class numbers
    corners: np.ndarray  # left, top, right, bottom in pixels, inside the image
    sizes: np.ndarray  # the image's width and height
    bounds: np.ndarray  # image k owns the rows bounds[k] … bounds[k + 1]


def usable(dataset: coco.Coco) -> tuple[Usable, Tally]:
    """Return what can be used of a dataset's annotations, and what became of the rest."""
    annotations = dataset.annotations
    count = len(annotations)
    ids = np.array([image.id for image in dataset.images])
    sizes = np.array([(image.width, image.height) for image in dataset.images], float)
    by_id = np.argsort(ids)
    owner_id = np.fromiter((a.image_id for a in annotations), np.int64, count)
    owner = by_id[np.minimum(np.searchsorted(ids[by_id], owner_id), len(ids) - 1)]
    orphan = ids[owner] != owner_id
    crowd = np.fromiter((bool(a.iscrowd) for a in annotations), bool, count)
    numbers = coco.class_numbers(dataset)
    number = np.fromiter((numbers[a.category_id] for a in annotations), np.int64, count)
    flat = np.fromiter(chain.from_iterable(a.bbox for a in annotations), float, 4 * count).reshape(-1, 4)
    corners = np.concatenate([flat[:, :2], flat[:, :2] + flat[:, 2:]], 1)
    inside = np.clip(corners, 0, np.tile(sizes[owner], 2))
    empty = (inside[:, 2:] <= inside[:, :2]).any(1) | (flat[:, 2:] <= 0).any(1)
    good = ~(orphan | crowd | empty)
    tally = Tally(
        rows=int(good.sum()),
        clipped=int(((np.abs(inside - corners) > 1e-6).any(1) & good).sum()),
        empty=int((empty & ~crowd & ~orphan).sum()),
        crowds=int((crowd & ~orphan).sum()),
        orphans=int(orphan.sum()),
    )
    order = np.flatnonzero(good)
    order = order[np.argsort(owner[order], kind="stable")]
    bounds = np.searchsorted(owner[order], np.arange(len(ids) + 1))
    return Usable(order, number[order], inside[order], sizes[owner[order]], bounds), tally


def labels(
    dataset: coco.Coco, boxes: Usable, polygons: bool, start: int = 0, stop: int | None = None
) -> tuple[list[str], int]:
    """Return the label texts of the images `start` to `stop`, and how many rows had to make do without a mask."""
    bounds = boxes.bounds[start : len(dataset.images) + 1 if stop is None else stop + 1]
    part = slice(bounds[0], bounds[-1])
    without_mask = 0
    if polygons:
        rows, without_mask = _polygon_rows(dataset, boxes, part)
    else:
        corners, sizes = boxes.corners[part], boxes.sizes[part]
        middle = (corners[:, :2] + corners[:, 2:]) / 2 / sizes
        extent = (corners[:, 2:] - corners[:, :2]) / sizes
        columns = [boxes.numbers[part].tolist(), *middle.T.tolist(), *extent.T.tolist()]
        rows = ["%d %.6g %.6g %.6g %.6g\n" % row for row in zip(*columns, strict=True)]  # noqa: UP031 the fastest
    return ["".join(rows[a:b]) for a, b in pairwise((bounds - bounds[0]).tolist())], without_mask


def _polygon_rows(dataset: coco.Coco, boxes: Usable, part: slice) -> tuple[list[str], int]:
    rows, without_mask = [], 0
    columns = (
        boxes.order[part].tolist(),
        boxes.numbers[part].tolist(),
        boxes.corners[part].tolist(),
        boxes.sizes[part],
    )
    for at, number, (left, top, right, bottom), size in zip(*columns, strict=True):
        parts = segmentation.polygons(dataset.annotations[at], int(size[0]), int(size[1]))
        outline = joined(parts) if parts else np.empty((0, 2))
        if len(outline) < 3 or (np.ptp(outline, axis=0) <= 0).any():
            without_mask += 1
            outline = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
        outline = filling(outline, np.array([(left, top), (right, bottom)]))
        values = (outline / size).ravel().tolist()
        rows.append(f"{number} {' '.join([f'{v:.6g}' for v in values])}\n")
    return rows, without_mask


def filling(outline: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Return an outline (n, 2) that fills its box (its upper left and lower right corner). Drawn through the middles of
    pixels it does not quite, and a detector would learn boxes that are too small; one that lies elsewhere stays."""
    ends = np.array([outline.min(0), outline.max(0)])
    if (abs(ends - box) > PIXEL).any():
        return outline
    return box[0] + (outline - ends[0]) * np.ptp(box, 0) / np.ptp(ends, 0)


def joined(parts: list[np.ndarray]) -> np.ndarray:
    """Return one outline made of several, because a YOLO row has room for one: each part is reached, walked round, and
    left again over the shortest bridge. Of very many parts only the largest are in it: the others are specks."""
    areas = np.array([np.ptp(part, axis=0).prod() for part in parts])
    largest = np.sort(np.argsort(-areas, kind="stable")[:MOST_PARTS])
    whole, *others = (parts[k] for k in largest)
    for part in others:
        distances, nearest = KDTree(part).query(whole)
        here = int(distances.argmin())
        there = int(np.asarray(nearest)[here])
        around = np.concatenate([part[there:], part[: there + 1]])
        whole = np.concatenate([whole[: here + 1], around, whole[here:]])
    return whole


def flat_names(images: list[coco.Image]) -> list[str]:
    """Return a name for each image without folders and suffix, unique among them: a/1.png and b/1.jpg are a__1 and
    b__1.

    Two that would still meet (a/1.png and a/1.jpg) get their ids appended; so does one too long to be a file's name.
    """
    plain = [_plain(files.relative_name(image.file_name, "image")) for image in images]
    times = Counter(name.lower() for name in plain)
    alone = [times[name.lower()] == 1 and files.shortened(name) == name for name in plain]
    taken = {name.lower() for name, own in zip(plain, alone, strict=True) if own}
    names = []
    for image, name, own in zip(images, plain, alone, strict=True):
        if not own:
            name = f"{files.shortened(name)}__{image.id}"
            while name.lower() in taken:
                name += "_"
            taken.add(name.lower())
        names.append(name)
    return names


def _plain(name: str) -> str:
    stem, _, suffix = name.replace("\\", "/").rpartition(".")
    return (stem if stem and "/" not in suffix else name).replace("/", "__")

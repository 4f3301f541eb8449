"""A named choice of training images, with the reason for each pick (data/subsets/<subset>).

Whatever trains on a subset reads this folder alone, so that a new product makes no old experiment stale. Of a choice
that the dataset cannot give, because it has no other product or too few images, only a note why is left, and what is
made of it is left out.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from scipy.spatial import KDTree

from stages import command, files, left_out, paths, settings
from stages.dataset import coco, segmentation
from stages.problem import Problem
from stages.settings import Products, Subset


class Lacking(Problem):
    """What a choice asks for is not in the dataset."""


def main(subset: str) -> None:
    params = settings.load()
    if subset not in params.subsets:
        raise Problem(f"there is no subset {subset!r}; params.yaml has {', '.join(params.subsets)}")
    rule = params.subsets[subset]
    dataset = coco.read(paths.ANNOTATIONS)
    train = set(files.read_json(paths.SPLIT)["train"])
    groups = coco.grouped(dataset, params.dataset.groups)
    picks, of = [], 0
    try:
        for group in meant(rule.group, params.products, list(groups), f"subsets.{subset}.group"):
            candidates = coco.subset(dataset, [image.id for image in groups[group] if image.id in train])
            picks += pick(candidates, rule, params.seed, f"subsets.{subset}.count: {group}")
            of += len(candidates.images)
    except Lacking as lacking:
        print(f"left out: {lacking}")
        with files.replacing(paths.SUBSETS / subset) as folder:
            left_out.note(folder, str(lacking))
        return
    chosen = coco.subset(dataset, [id_ for id_, _ in picks])
    with files.replacing(paths.SUBSETS / subset) as folder:
        fill(folder, chosen, paths.SOURCE_IMAGES)
        files.write_json(folder / "subset.json", {
            "group": rule.group, "of": of, "picks": [{"image": i, "reason": r} for i, r in picks],
        })  # fmt: skip


def fill(folder: Path, chosen: coco.Coco, images: Path) -> None:
    """Put images, copied from a folder, and their annotations into another."""
    for image in chosen.images:
        target = folder / "images" / image.file_name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(images / image.file_name, target)
    coco.write(folder / "annotations.json", chosen)


def meant(word: str, products: Products, groups: list[str], where: str) -> list[str]:
    """Return the groups that a subset's `group` stands for; raise Lacking where it is for other products and there are
    none."""
    other = [products.other] if products.other in groups else []
    known = {"focus": [products.focus], "other": other, "every": groups}
    known |= {
        "but_focus": others(groups, products.focus, products),
        "but_other": others(groups, products.other, products),
    }
    known["rest"] = [group for group in known["but_focus"] if group != products.other]
    found = known.get(word, [word])
    if not found:
        raise Lacking(f"{where}: {word} is none of the dataset's groups ({', '.join(groups)})")
    return among(found, groups, where)


def others(groups: Iterable[str], group: str | None, products: Products) -> list[str]:
    """Return the groups of other products: all but this one, and those set apart, in which it may be seen."""
    return [of for of in groups if of != group and of not in products.apart]


def among(wanted: list[str], groups: list[str], where: str) -> list[str]:
    """Return the wanted groups, if the dataset has them all."""
    for group in wanted:
        if group not in groups:
            raise Problem(f"{where}: there is no group {group!r}; the dataset has {', '.join(groups)}")
    return wanted


def pick(candidates: coco.Coco, rule: Subset, seed: int, where: str) -> list[tuple[int, str]]:
    """Return image ids and reasons. A smaller count under the same rule is a prefix, so that five ⊂ ten ⊂ twenty."""
    there = len(candidates.images)
    count = there if rule.count == "all" else min(rule.count, there) if rule.fewer else rule.count
    if count > there or count == 0:
        raise Lacking(f"{where} has {there} training images, {rule.count} are wanted")
    if rule.prefer == "random":
        return _shuffled(candidates, seed)[:count]
    return (_separated(candidates) if rule.prefer == "separated" else _crowded(candidates))[:count]


def _shuffled(candidates: coco.Coco, seed: int) -> list[tuple[int, str]]:
    def chance(image: coco.Image) -> str:
        return hashlib.sha256(f"{seed}/{image.file_name}".encode()).hexdigest()

    return [(image.id, f"drawn with seed {seed}") for image in sorted(candidates.images, key=chance)]


def _separated(candidates: coco.Coco) -> list[tuple[int, str]]:
    """Yield in turn the next best image with one object, two objects, …: the one whose objects are farthest apart.

    The thesis chose images with few objects, or objects with distance between them, because crowded ones made its
    generators draw parts of objects. Taking turns keeps more than single objects in a small subset.
    """
    annotations = coco.by_image(candidates)
    ranks: dict[int, list[tuple[float, int]]] = {}
    for image in candidates.images:
        if objects := annotations[image.id]:
            ranks.setdefault(len(objects), []).append((gap(objects, image), image.id))
    for entries in ranks.values():
        entries.sort(key=lambda e: (-e[0], e[1]))
    turns = [
        (turn, number, id_, f"{_objects(number, apart)}; number {turn + 1} of {len(entries)} such images")
        for number, entries in ranks.items()
        for turn, (apart, id_) in enumerate(entries)
    ]
    empty = [(i, "no objects") for i, objects in annotations.items() if not objects]
    return [(id_, reason) for _, _, id_, reason in sorted(turns)] + empty


def _crowded(candidates: coco.Coco) -> list[tuple[int, str]]:
    """Order images by how many objects they show, the fullest first; of as full ones, those that lie closest."""
    annotations = coco.by_image(candidates)
    ranked = sorted((-len(of := annotations[image.id]), gap(of, image), image.id) for image in candidates.images)
    return [(id_, _objects(-number, apart) if number else "no objects") for number, apart, id_ in ranked]


def _objects(number: int, apart: float) -> str:
    return "one object" if number == 1 else f"{number} objects, the nearest two {apart:.3f} of the width apart"


def gap(objects: list[coco.Annotation], image: coco.Image) -> float:
    """Return the smallest distance between two objects' outlines, as a share of the image's width; 1 for a single
    object."""
    outlines = [_dense(a, image) for a in objects]
    trees = [KDTree(outline) for outline in outlines]
    low, high = (np.array([limit(outline, axis=0) for outline in outlines]) for limit in (np.min, np.max))
    least = np.inf
    for k in range(len(outlines) - 1):
        bounds = np.hypot(*np.maximum(low[k + 1 :] - high[k], low[k] - high[k + 1 :]).clip(0).T)  # of the boxes
        for other in np.argsort(bounds, kind="stable"):
            if bounds[other] >= least:
                break
            least = min(least, float(trees[k].query(outlines[k + 1 + other])[0].min()))
    return least / image.width if len(outlines) > 1 else 1.0


def _dense(annotation: coco.Annotation, image: coco.Image) -> np.ndarray:
    """Return points all along an outline (or the box, where there is no mask), so that long edges count too."""
    x, y, w, h = annotation.bbox
    parts = segmentation.polygons(annotation, image.width, image.height)
    parts = parts or [np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)])]
    steps = np.linspace(0, 1, 9)[:-1, None, None]
    return np.concatenate([(p + steps * (np.roll(p, -1, 0) - p)).reshape(-1, 2) for p in parts])


if __name__ == "__main__":
    command.run(main, __doc__, subset="which of params.yaml's subsets")

"""Train the detector that judges a product's candidates (models/detector/<product>/judge/last.pt).

Of the product itself it sees the subset alone, so that what it says of candidates rests on no image that the ten-image
experiments may not know; of all other products it sees the train split. Its images are squashed to the size and shape
that the generators draw. To half of them a half-transparent object is added, with a class of its own, because that is
what generators draw, and what a detector would else take for an object.
"""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import msgspec
import numpy as np
import yaml

from stages import command, files, paths, progress, settings
from stages.dataset import coco, convert, photo
from stages.detector import model
from stages.judge import planted, quality, reference
from stages.problem import Problem

HAUNTED = 0.5  # of the training images show a ghost
SHARE = 0.25  # of the training images that show the product: its few are repeated as often as that takes


def main(product: str) -> None:
    params = settings.load()
    group = group_of(params, product)
    dataset, split = coco.read(paths.ANNOTATIONS), files.read_json(paths.SPLIT)
    groups = coco.grouped(dataset, params.dataset.groups)
    others = {image.id for name, images in groups.items() if name != group for image in images}
    own = {i.id for i in coco.read(paths.SUBSETS / subset_of(params, product) / "annotations.json").images}
    train, val = [[i for i in split[part] if i in others] for part in ("train", "val")]
    if not train or not val:
        raise Problem(f"the judge of {group} learns from other products too; train or val has none")
    repeat = max(1, math.ceil(SHARE / (1 - SHARE) * len(train) / len(own)))
    data = paths.CHECKPOINTS / "judge" / params.scale / product
    parts = {"train": train + sorted(own) * repeat, "val": val}
    write(dataset, parts, paths.SOURCE_IMAGES, data, params.now.gan.size, params.seed)
    rule = msgspec.structs.replace(params.now.detector, imgsz=params.now.judge.imgsz)
    trained = model.train(data, rule, params.seed, paths.CHECKPOINTS, f"detector that judges {product}")
    with files.replacing(paths.DETECTORS / product / "judge") as folder:
        shutil.copyfile(trained.last, folder / "last.pt")
        files.write_json(folder / "images.json", {"train": sorted({*train, *own}), "val": val})
    model.forget(trained)
    shutil.rmtree(data)


def group_of(params: settings.Settings, product: str) -> str:
    """The group of images that `focus` or `other` stands for."""
    groups = {"focus": params.products.focus, "other": params.products.other}
    if product not in groups:
        raise Problem(f"there is no product {product!r}; params.yaml has {', '.join(groups)}")
    return groups[product]


def subset_of(params: settings.Settings, product: str) -> str:
    """The only images of a product that its judge may see."""
    return getattr(params.judge.subsets, product)


def write(dataset: coco.Coco, parts: dict[str, list[int]], images: Path, folder: Path, size: int, seed: int) -> None:
    """A YOLO dataset of squashed images; an id that is listed again is written again, with another ghost."""
    chosen = coco.subset(dataset, dict.fromkeys(id_ for ids in parts.values() for id_ in ids))
    texts, _ = convert.labels(chosen, convert.usable(chosen)[0], polygons=True)
    place_of = {image.id: place for place, image in enumerate(chosen.images)}
    real = reference.of(chosen, images, size)
    free = planted.pieces(real.part([place_of[id_] for id_ in dict.fromkeys(parts["train"])]))
    rng = np.random.default_rng(seed)
    names = dict(enumerate([*coco.class_names(dataset), quality.GHOST]))
    with files.replacing(folder) as into:
        for part, ids in parts.items():
            for number, id_ in enumerate(progress.bar(ids, what=f"writing {part}", unit="image")):
                place = place_of[id_]
                pixels, ghost = real.pixels[place], None
                if part == "train" and rng.random() < HAUNTED:
                    pixels, ghost = planted.haunted(pixels, real.masks[place], free, rng)
                photo.save(into / "images" / part / f"{number:05}.png", pixels)
                files.write(into / "labels" / part / f"{number:05}.txt", texts[place] + _row(ghost, len(names) - 1))
        layout = {part: f"images/{part}" for part in parts} | {"names": names}
        files.write(into / "data.yaml", yaml.safe_dump(layout, sort_keys=False))


def _row(mask: np.ndarray | None, number: int) -> str:
    """A label row of the box around a mask."""
    if mask is None:
        return ""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    (top, bottom), (left, right) = ((of[0] / len(mask), (of[-1] + 1) / len(mask)) for of in (rows, columns))
    return f"{number} {left:.6g} {top:.6g} {right:.6g} {top:.6g} {right:.6g} {bottom:.6g} {left:.6g} {bottom:.6g}\n"


if __name__ == "__main__":
    command.run(main, __doc__, product="focus or other")

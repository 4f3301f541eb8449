"""Train the detector that judges a product's candidates (models/detector/<product>/judge/last.pt).

Of the product itself it sees the subset alone, so that what it says of candidates rests on no image that the ten-image
experiments may not know; of all other products, if there are any, it sees the train split. Its images are squashed to
the judge's size, half of them by way of what GANs draw. Many show an object more, cut out of another image: whole, or
spoilt as generators spoil them, which makes a class of its own, because a detector would else take it for an object.
Some are mixtures of images, in which nothing is whole. Half of all are worn.
"""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import msgspec
import numpy as np
import yaml

from stages import command, files, paths, progress, settings
from stages.dataset import coco, photo, subset, yolo_labels
from stages.detector import model
from stages.judge import candidate_pictures, object_faults, reference
from stages.judge.copies import LITTLE, worn
from stages.judge.object_faults import FAULTS, GHOST, PART, Piece
from stages.settings import Detector, Settings

ADDED = (1, 2)  # objects added to a training image …
BARE = 0.25  # … but to none of this share
MIXED = 0.2  # share of the training images that shine through others …
MIXTURE = (1, 3)  # … so many
WORN = 0.5  # share of the training images that are a little blurred, noisy and badly compressed
KINDS = (0.2, 0.3, 0.2, 0.3)  # shares of added objects: whole, transparent, smeared, cut
OPACITY = (0.2, 0.7)  # of ghosts, further than the test's reach, so that none of those lies at the edge
TRIES = 50  # places that are looked at until an added object has room
VARIANTS, PICTURES = 3, 300  # of each training image, with other objects added; and in all, at least
LONGER = 2  # epochs of the scale's detector, and trainings of an arm, that one of its own takes at least
SHARE = 0.25  # of the training images that show the product: its few are repeated as often as that takes


def main(product: str) -> None:
    params = settings.load()
    train(params, product, params.seed, paths.DETECTORS / product / "judge")


def train(params: Settings, product: str, seed: int, into: Path) -> None:
    """Train it with one seed: weights, and the ids of the images it saw, are put into a folder."""
    group = params.group(product)
    dataset, split = coco.read(paths.ANNOTATIONS), files.read_json(paths.SPLIT)
    groups = coco.grouped(dataset, params.dataset.groups)
    others = {image.id for name in subset.others(groups, group, params.products) for image in groups[name]}
    own = {i.id for i in coco.read(paths.SUBSETS / params.known_subset(product) / "annotations.json").images}
    train, val = [[i for i in split[part] if i in others] for part in ("train", "val")]
    repeat = max(1, math.ceil(SHARE / (1 - SHARE) * len(train) / len(own)))
    data = paths.CHECKPOINTS / "judge" / params.scale / product / str(seed)
    shown = train + sorted(own) * repeat
    variants = max(VARIANTS, math.ceil(PICTURES / len(shown)))
    parts = {"train": shown * variants, "val": val or sorted(own)}  # its last weights are used
    write(dataset, parts, paths.SOURCE_IMAGES, data, candidate_pictures.sides(params), seed)
    trained = model.train(data, rule(params), seed, paths.CHECKPOINTS, f"detector that judges {product}")
    with files.replacing(into) as folder:
        shutil.copyfile(trained.last, folder / "last.pt")
        files.write_json(folder / "images.json", {"train": sorted({*train, *own}), "val": val})
    model.forget(trained)
    shutil.rmtree(data)


def rule(params: Settings) -> Detector:
    """Return the scale's detector, as the judge has it look at pictures. It is trained longer than those of the arms:
    what is whole, and what is not quite, is told apart late."""
    how, base = params.now.judge, params.now.detector
    steps = max(base.least_steps, LONGER * params.now.evidence.steps)
    epochs = LONGER * base.epochs
    return msgspec.structs.replace(base, imgsz=how.imgsz, crop=how.crop, least_steps=steps, epochs=epochs)


def write(
    dataset: coco.Coco, parts: dict[str, list[int]], images: Path, folder: Path, sides: list[int], seed: int
) -> None:
    """Write a YOLO dataset of squashed images, as large as the largest of `sides`, and with no more in them than in one
    of these. An id that is listed again is written again, with other objects added."""
    size = max(sides)
    chosen = coco.subset(dataset, dict.fromkeys(id_ for ids in parts.values() for id_ in ids))
    texts, _ = yolo_labels.labels(chosen, yolo_labels.usable(chosen)[0], polygons=True)
    place_of = {image.id: place for place, image in enumerate(chosen.images)}
    real = reference.of(chosen, images, size)
    free = object_faults.of(real.part([place_of[id_] for id_ in dict.fromkeys(parts["train"])]))
    rng = np.random.default_rng(seed)
    classes = [*coco.class_names(dataset), *FAULTS]
    with files.replacing(folder) as into:
        for part, ids in parts.items():
            for number, id_ in enumerate(progress.bar(ids, what=f"writing {part}", unit="image")):
                place = place_of[id_]
                pixels, rows = real.pixels[place], texts[place]
                if part == "train" and rng.random() < MIXED:
                    others = [place, *(place_of[k] for k in rng.choice(ids, rng.integers(*MIXTURE, endpoint=True)))]
                    shown = [real.pixels[k] for k in others], [real.masks[k] for k in others]
                    pixels, ghosts = object_faults.mixed(*shown, rng)
                    rows = "".join(row(mask, classes.index(GHOST)) for mask in ghosts)
                elif part == "train":
                    pixels, added = peopled(pixels, real.masks[place], free, rng)
                    rows += "".join(row(p.mask, classes.index(fault) if fault else p.number) for p, fault in added)
                pixels = reference.squared(pixels, size, int(rng.choice(sides)))
                if part == "train" and rng.random() < WORN:
                    pixels = worn(pixels, rng, LITTLE)
                photo.save(into / "images" / part / f"{number:05}.png", pixels)
                files.write(into / "labels" / part / f"{number:05}.txt", rows)
        layout = {part: f"images/{part}" for part in parts} | {"names": dict(enumerate(classes))}
        files.write(into / "data.yaml", yaml.safe_dump(layout, sort_keys=False))


def peopled(
    pixels: np.ndarray, masks: np.ndarray, free: list[Piece], rng: np.random.Generator
) -> tuple[np.ndarray, list[tuple[Piece, str | None]]]:
    """Return an image with objects of other images beside its own, and these, with their faults."""
    taken = masks.any(0) if len(masks) else np.zeros(pixels.shape[:2], bool)
    canvas, added = pixels.astype(np.float64), []
    wanted = 0 if rng.random() < BARE else rng.integers(ADDED[0], ADDED[1] + 1)
    for piece in (free[k] for k in rng.permutation(len(free))[:TRIES]):
        if len(added) == wanted:
            break
        if not (piece.mask & taken).any():
            shown, fault = spoilt(piece, rng)
            canvas, taken = object_faults.put(canvas, shown), taken | piece.mask
            added.append((shown, fault))
    return canvas.round().clip(0, 255).astype(np.uint8), added


def spoilt(piece: Piece, rng: np.random.Generator) -> tuple[Piece, str | None]:
    """Return a piece as it was, or with a fault, and the fault's name."""
    kind = rng.choice(["whole", "transparent", "smeared", "cut"], p=KINDS)
    if kind == "transparent":
        return object_faults.ghostly(piece, rng.uniform(*OPACITY)), GHOST
    if kind == "smeared":
        return object_faults.smeared(piece, rng), GHOST
    if kind == "cut":
        return object_faults.cut(piece, rng), PART
    return piece, None


def row(mask: np.ndarray, number: int) -> str:
    """Return a label row of the box around a mask; empty where nothing is in it."""
    if not mask.any():
        return ""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    (top, bottom), (left, right) = ((of[0] / len(mask), (of[-1] + 1) / len(mask)) for of in (rows, columns))
    return f"{number} {left:.6g} {top:.6g} {right:.6g} {top:.6g} {right:.6g} {bottom:.6g} {left:.6g} {bottom:.6g}\n"


if __name__ == "__main__":
    command.run(main, __doc__, product="focus or other")

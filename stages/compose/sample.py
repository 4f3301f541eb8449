"""Compose the candidates of one experiment (data/candidates/<experiment>), with labels that are exact.

annotations.json holds box and mask of every visible object; each candidate can be made again from its row of
manifest.csv alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pandas as pd
from pycocotools import mask as rle

from stages import command, files, paths, progress, settings
from stages.compose import classic, paste
from stages.dataset import background, coco, cutouts, photo

SEEDS = 1_000_000  # of candidates, for each seed of the project

Made = tuple[np.ndarray, list[tuple[int, np.ndarray]]]  # a picture; category and mask of each visible object


def main(experiment: str) -> None:
    params = settings.load()
    asked = settings.named(experiment, params.pastes | params.classics)
    how = "paste" if experiment in params.pastes else "classic"
    subset = paths.SUBSETS / asked.subset
    if how == "paste":
        report(subset)
    with files.replacing(paths.CANDIDATES / experiment) as folder:
        rows = write(experiment, how, subset, params.now.composed, params.seed, folder, folder)
        files.write(folder / "manifest.csv", pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))


def write(
    experiment: str, how: str, subset: Path, count: int, seed: int, folder: Path, pictures: Path
) -> list[dict[str, str | int]]:
    """Fill `folder` with the annotations of so many candidates, and `pictures` with them; their rows."""
    rows = [
        {"id": f"{experiment}_{number:04}", "experiment": experiment, "step": 0,
         "seed": seed * SEEDS + number // len(ways(how)), "parents": str(subset), "how": how,
         "way": ways(how)[number % len(ways(how))]}
        for number in range(count)
    ]  # fmt: skip
    images, annotations = [], []
    for number, (row, (size, objects)) in enumerate(zip(rows, all_made(rows, pictures), strict=True), 1):
        images.append(coco.Image(id=number, file_name=f"{row['id']}.png", width=size[0], height=size[1]))
        for category, box, segmentation in objects:
            annotations.append(coco.Annotation(
                id=len(annotations) + 1, image_id=number, category_id=category, bbox=box,
                area=box[2] * box[3], iscrowd=0, segmentation=msgspec.Raw(segmentation),
            ))  # fmt: skip
        row |= {"boxes": json.dumps([[category, *box] for category, box, _ in objects]),
                "frame_width": size[0], "frame_height": size[1]}  # fmt: skip
    known = coco.read(subset / "annotations.json")
    coco.write(folder / "annotations.json", coco.Coco(images, known.categories, annotations))
    return rows


def ways(how: str) -> tuple[str, ...]:
    """In which a candidate of the same seed is made."""
    return paste.BLENDINGS if how == "paste" else ("",)


def report(subset: Path) -> None:
    """What there is to compose with, for whoever reads the log."""
    found, units, left_out = cutouts.usable(subset)
    empty = background.backgrounds(found)
    cut = sum(how == "grabcut" for unit in units for how in unit.cut)
    print(f"{subset}: {sum(len(u.masks) == 1 for u in units)} objects that stand alone, "
          f"{sum(len(u.masks) > 1 for u in units)} groups that hide parts of each other, of {len(found)} images; "
          f"{cut} outlines by GrabCut; left out: {dict(left_out) or 'none'}")  # fmt: skip
    print(f"background: {100 * empty.unseen:.1f} % is seen in no image and inpainted; "
          f"at most {100 * empty.ghost:.1f} % of the objects' detail is left in it")  # fmt: skip


def all_made(rows: list[dict], folder: Path) -> Iterator[tuple[tuple[int, int], list]]:
    """Size and labels of every row's picture, which is written to the folder, on all cores."""
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), get_context("forkserver"), cv2.setNumThreads, (1,)) as pool:
        done = pool.map(_written, rows, [folder] * len(rows), chunksize=8)
        yield from progress.bar(done, total=len(rows), what=f"compose {rows[0]['experiment']}", unit="picture")


def make(row: dict) -> Made:
    """The candidate that a row of a manifest speaks of."""
    return _maker(row["how"], row["parents"])(int(row["seed"]), row["way"])


@lru_cache(maxsize=2)
def _maker(how: str, parents: str) -> Callable[[int, str], Made]:
    if how == "paste":
        of = paste.stock(Path(parents))
        return lambda seed, way: paste.compose(of, seed, way)
    found, _ = cutouts.scenes(Path(parents))
    return lambda seed, _way: classic.change(found[seed % len(found)], seed)


def _written(row: dict, folder: Path) -> tuple[tuple[int, int], list[tuple[int, list[float], bytes]]]:
    pixels, objects = make(row)
    photo.save(folder / f"{row['id']}.png", pixels)
    return pixels.shape[1::-1], [(category, *_label(mask)) for category, mask in objects]


def _label(mask: np.ndarray) -> tuple[list[float], bytes]:
    """Box and run lengths of a mask."""
    encoded = rle.encode(np.asfortranarray(mask.astype(np.uint8)))
    box = [float(v) for v in rle.toBbox(encoded)]
    return box, msgspec.json.encode({"size": list(mask.shape), "counts": encoded["counts"].decode()})


if __name__ == "__main__":
    command.run(main, __doc__, experiment="which of params.yaml's pastes and classics")

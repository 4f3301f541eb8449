"""Candidates whose labels are known, on disk: pictures, and box and mask of all that is visible in annotations.json."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pandas as pd
from pycocotools import mask as rle

from stages import files, progress
from stages.dataset import coco, photo

Row = dict[str, str | int]  # of a manifest
Made = tuple[np.ndarray, list[tuple[int, np.ndarray]]]  # a picture; category and mask of each visible object


def write(rows: list[Row], make: Callable[[Row], Made], subset: Path, folder: Path, pictures: Path) -> list[Row]:
    """Fill `folder` with the annotations of all candidates, and `pictures` with them; their rows, with what they show.

    `make` is a module's own function, so that every core can call it.
    """
    images, annotations, whole = [], [], []
    for number, (row, (size, objects)) in enumerate(zip(rows, _all(rows, make, pictures), strict=True), 1):
        images.append(coco.Image(id=number, file_name=f"{row['id']}.png", width=size[0], height=size[1]))
        for category, box, segmentation in objects:
            annotations.append(coco.Annotation(
                id=len(annotations) + 1, image_id=number, category_id=category, bbox=box,
                area=box[2] * box[3], iscrowd=0, segmentation=msgspec.Raw(segmentation),
            ))  # fmt: skip
        whole.append(row | {"boxes": json.dumps([[category, *box] for category, box, _ in objects]),
                            "frame_width": size[0], "frame_height": size[1]})  # fmt: skip
    known = coco.read(subset / "annotations.json")
    coco.write(folder / "annotations.json", coco.Coco(images, known.categories, annotations))
    return whole


def parents(subset: Path, *sources: Path) -> str:
    """The subset, and whose images the models have learnt from that it is joined with: a manifest's column."""
    models = [source for source in sources if source.parts[0] == "models"]
    learnt = [parent for model in models for parent in files.read_json(model / "run.json")["parents"]]
    return ";".join(dict.fromkeys([str(subset), *learnt]))


def subset_of(row: Row) -> Path:
    """The one whose objects a row's picture shows."""
    return Path(row["parents"].partition(";")[0])


def write_manifest(folder: Path, rows: list[Row]) -> None:
    files.write(folder / "manifest.csv", pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))


def _all(rows: list[Row], make: Callable[[Row], Made], folder: Path) -> Iterator[tuple[tuple[int, int], list]]:
    """Size and labels of every row's picture, which is written to the folder, on all cores."""
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), get_context("forkserver"), cv2.setNumThreads, (1,)) as pool:
        done = pool.map(partial(_one, make=make, folder=folder), rows, chunksize=8)
        yield from progress.bar(done, total=len(rows), what=f"compose {rows[0]['experiment']}", unit="picture")


def _one(
    row: Row, make: Callable[[Row], Made], folder: Path
) -> tuple[tuple[int, int], list[tuple[int, list[float], bytes]]]:
    pixels, objects = make(row)
    photo.save(folder / f"{row['id']}.png", pixels)
    return pixels.shape[1::-1], [(category, *_label(mask)) for category, mask in objects]


def _label(mask: np.ndarray) -> tuple[list[float], bytes]:
    """Box and run lengths of a mask."""
    encoded = rle.encode(np.asfortranarray(mask.astype(np.uint8)))
    box = [float(v) for v in rle.toBbox(encoded)]
    return box, msgspec.json.encode({"size": list(mask.shape), "counts": encoded["counts"].decode()})

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

from stages import files, gpu, paths, progress, provenance, settings, tables
from stages.dataset import coco, photo
from stages.settings import Composition
from stages.training import run_facts

Row = dict[str, str | int]  # of a manifest
Made = tuple[np.ndarray, list[tuple[int, np.ndarray]]]  # a picture; category and mask of each visible object
Rows = Callable[[str, Composition, Path, int, int], list[Row]]
Make = Callable[[Row], Made]


def compose(name: str, rows: Rows, make: Make) -> None:
    """Make the candidates of one of params.yaml's compositions (data/candidates/<name>), with labels that are exact.

    `rows` says what to make: a row of the manifest for each candidate, by the composition's name and settings, its
    subset's folder, how many are wanted, and the seed. `make` makes the candidate that such a row, alone, speaks of.
    """
    params = settings.load()
    asked = settings.named(name, params.compositions)
    wanted = rows(name, asked, paths.SUBSETS / asked.subset, asked.more * params.now.composed, params.seed)
    with files.replacing(paths.CANDIDATES / name) as folder:
        write(wanted, make, folder, folder)


def write(rows: list[Row], make: Make, folder: Path, pictures: Path) -> None:
    """Fill `folder` with the manifest and the annotations of all candidates, and `pictures` with them.

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
    known = coco.read(subset_of(rows[0]) / "annotations.json")
    coco.write(folder / "annotations.json", coco.Coco(images, known.categories, annotations))
    tables.write(folder / "manifest.csv", pd.DataFrame(whole))


def numbered(name: str, asked: Composition, subset: Path, number: int, seed: int) -> Row:
    """Return what every row begins with: which candidate it is, by which seed, and whose images it is made of."""
    return {
        "id": f"{name}_{number:04}", "experiment": name, "step": 0, "seed": seed,
        "parents": parents(subset, asked.known, asked.objects, asked.floor), "how": asked.how,
        "known": asked.known, "objects": asked.objects, "floor": asked.floor,
    }  # fmt: skip


def parents(subset: Path, known: str, *models: str) -> str:
    """Return a manifest's column: the subset, the known products' photographs, and whose images the models have learnt
    from that it is joined with."""
    photographs = [str(folder) for folder in (subset, settings.named_folder(known)) if folder]
    learnt = [
        parent for model in map(settings.named_folder, models) if model for parent in run_facts.read(model)["parents"]
    ]
    return ";".join(dict.fromkeys([*photographs, *learnt]))


def subset_of(row: Row) -> Path:
    """Return the folder of the subset whose objects a row's picture shows."""
    return Path(str(row["parents"]).partition(";")[0])


def _all(rows: list[Row], make: Make, folder: Path) -> Iterator[tuple[tuple[int, int], list]]:
    """Write every row's picture to a folder, on all cores; yield size and labels of each."""
    with ProcessPoolExecutor(provenance.cores(), get_context("forkserver"), one_core) as pool:
        done = pool.map(partial(_one, make=make, folder=folder), rows, chunksize=8)
        yield from progress.bar(done, total=len(rows), what=f"compose {rows[0]['experiment']}", unit="picture")


def one_core() -> None:
    """Keep this process to a core, when each has one: no threads of OpenCV or torch, and no GPU, whose memory all of
    them would fill with copies of the same network."""
    cv2.setNumThreads(1)
    os.environ |= gpu.HIDE | {"OMP_NUM_THREADS": "1"}  # which torch reads when it is imported, and that is later


def _one(row: Row, make: Make, folder: Path) -> tuple[tuple[int, int], list[tuple[int, list[float], bytes]]]:
    pixels, objects = make(row)
    photo.save(folder / f"{row['id']}.png", pixels)
    return pixels.shape[1::-1], [(category, *_label(mask)) for category, mask in objects]


def _label(mask: np.ndarray) -> tuple[list[float], bytes]:
    """Return a mask's box, and its run lengths as JSON."""
    encoded = rle.encode(np.asfortranarray(mask.astype(np.uint8)))
    box = [float(v) for v in rle.toBbox(encoded)]
    counts = encoded["counts"]
    text = counts if isinstance(counts, str) else counts.decode()
    return box, msgspec.json.encode({"size": list(mask.shape), "counts": text})

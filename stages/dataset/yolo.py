"""The dataset as YOLO reads it: images reduced to the size in params.yaml, one label file each, and data.yaml.

Writes data/yolo/{images,labels}/{train,val,test}, data.yaml, index.json (where each image came from) and tally.json
(what became of the annotations).
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

import yaml

from stages import command, files, paths, progress, provenance, settings
from stages.dataset import coco, photo, yolo_labels
from stages.dataset.split import PARTS


def main() -> None:
    params = settings.load()
    dataset = coco.read(paths.ANNOTATIONS)
    split = validated(files.read_json(paths.SPLIT))
    with files.replacing(paths.YOLO) as folder:
        write(dataset, split, paths.SOURCE_IMAGES, folder, params.now.yolo.size, params.now.yolo.labels == "polygons")


def validated(split: dict[str, list[int]]) -> dict[str, list[int]]:
    """Return a split with images to validate on: every fifth of those to train on, where nobody has kept others."""
    train = split["train"]
    if split["val"] or len(train) < 2:
        return split
    return split | {"train": [id_ for k, id_ in enumerate(train) if k % 5], "val": train[::5]}


def write(
    dataset: coco.Coco, split: dict[str, list[int]], images: Path, folder: Path, size: int, polygons: bool
) -> None:
    """Fill `folder` with a YOLO dataset; the longer side of its images is at most `size`."""
    part_of = {id_: part for part in PARTS for id_ in split[part]}
    names = yolo_labels.flat_names(dataset.images)
    places = [(part_of[image.id], name) for image, name in zip(dataset.images, names, strict=True)]
    tally = write_labels(dataset, polygons, places, folder / "labels")

    def reduce(job: tuple[coco.Image, tuple[str, str]]) -> None:
        image, (part, name) = job
        pixels = photo.load(images / image.file_name, image.width, image.height)
        photo.save(folder / "images" / part / f"{name}.png", photo.fit(pixels, size))

    for part in PARTS:
        (folder / "images" / part).mkdir(parents=True)
    jobs = list(zip(dataset.images, places, strict=True))
    with ThreadPoolExecutor(provenance.cores()) as pool:
        for _ in progress.bar(pool.map(reduce, jobs), total=len(jobs), what="writing YOLO", unit="image"):
            pass
    names_by_number = dict(enumerate(coco.class_names(dataset)))
    layout = {part: f"images/{part}" for part in PARTS} | {"names": names_by_number}  # relative to this file
    files.write(folder / "data.yaml", yaml.safe_dump(layout, sort_keys=False))
    index = {f"{part}/{name}": image.id for image, (part, name) in jobs}
    files.write_json(folder / "index.json", index)
    files.write_json(folder / "tally.json", asdict(tally))


_job: tuple  # what the forked writers inherit instead of being sent it


def write_labels(dataset: coco.Coco, polygons: bool, places: list[tuple[str, str]], folder: Path) -> yolo_labels.Tally:
    """Write one label file for each image at its place (part, name), by all cores: COCO has 118,000 of them."""
    global _job
    for part in PARTS:
        (folder / part).mkdir(parents=True)
    boxes, tally = yolo_labels.usable(dataset)
    _job = dataset, boxes, polygons, places, folder
    cores = provenance.cores()
    cuts = [len(places) * k // cores for k in range(cores + 1)]
    with ProcessPoolExecutor(cores, get_context("fork")) as pool:  # one that notices when a process is killed
        tally.without_mask = sum(pool.map(_write_part, cuts[:-1], cuts[1:]))
    return tally


def _write_part(start: int, stop: int) -> int:
    dataset, boxes, polygons, places, folder = _job
    texts, without_mask = yolo_labels.labels(dataset, boxes, polygons, start, stop)
    for text, (part, name) in zip(texts, places[start:stop], strict=True):
        # Plain system calls: making so many small files is most of the work.
        file = os.open(f"{folder}/{part}/{name}.txt", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            os.write(file, text.encode())
        finally:
            os.close(file)
    return without_mask


if __name__ == "__main__":
    command.run(main, __doc__)

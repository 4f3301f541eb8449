"""Photographs that nobody annotated, labelled by detectors and trained on, for the product `other`.

On random draws of ten of its training photographs, two detectors label the rest of these, whose annotations are
withheld but for telling how right the labels are. Arms with and without the labelled photographs are scored as in
`benchmarks.choose`. Some labelled photographs are shown in docs/labelled.jpg.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from benchmarks import choose, conditions
from benchmarks.choose import COUNT, MANY, SHOWN, WORK, Tried
from stages import command, drawing, files, settings
from stages.dataset import coco, photo, segmentation
from stages.evidence import remade_arm
from stages.evidence.remade_arm import Photographs
from stages.feedback import unlabelled
from stages.feedback.unlabelled import FACTS, Labellers
from stages.settings import Settings
from stages.training import parallel

PLACE = WORK / "unlabelled"
LABELLERS = ("warm_paste, known 0.5, rate × 1.0", "warm_paste, known 0.3, rate × 1.0")  # of `benchmarks.choose warm`
PICTURES, COLUMNS, TILE = 6, 3, 400


def main(draws: int = choose.DRAWS, steps: int = 1200) -> None:
    params = settings.load()
    own, known = choose.prepared(params, PLACE)
    of, labelling, tried = Photographs(own, known, PLACE / "start"), choose.warm(params), compared(params, steps)
    figures: dict = {
        "draws": draws,
        "steps": steps,
        "images": len(choose.test(params, params.now.study.imgsz).pictures),
    }
    with parallel.trainings(len(tried)) as pool:
        pool.submit(choose.start, of, params, PLACE).result()
        for draw in range(draws):
            jobs = [pool.submit(choose.score, labelling[name], of, draw, PLACE) for name in LABELLERS]
            maps = [round(job.result()["map"], 4) for job in jobs]
            weights = [choose.place(labelling[name], draw, PLACE) / "weights.pt" for name in LABELLERS]
            folder = labelled(weights, own, draw, params)
            figures[f"draw {draw}: labels"] = files.read_json(folder / FACTS) | {"labellers": maps}
            mine = replace(of, labelled=folder)
            arms = {name: pool.submit(choose.score, one, mine, draw, PLACE) for name, one in tried.items()}
            for name, job in arms.items():
                figures[f"draw {draw}: {name}"] = round(job.result()["map"], 4)
    photo.save(Path("docs/labelled.jpg"), sheet(PLACE / "labelled" / "0"))
    conditions.record("unlabelled", figures, ("torch", "ultralytics-opencv-headless"))
    shutil.rmtree(PLACE)


def compared(params: Settings, steps: int) -> dict[str, Tried]:
    """Return the arms that are compared, each in so many steps."""
    found = {}
    for name in ("unlabelled", "ten_standard"):
        found[name] = Tried(params.arms[name], choose.changed(params, steps=steps), params)
    for name in ("paste_unlabelled", "paste"):
        arm, _, by = choose.of_fakes(params, name, SHOWN, MANY)
        found[name] = Tried(arm, choose.changed(params, steps=steps), by)
    return found


def labelled(weights: list[Path], own: Path, draw: int, params: Settings) -> Path:
    """Label the photographs that a draw leaves; return the folder of those that have labels, and of how right they
    are."""
    dataset, folder = coco.read(own / "annotations.json"), PLACE / "labelled" / str(draw)
    ten = choose.drawn(dataset, COUNT, draw)
    asked = unlabelled.withheld(dataset.images, {image.id for image in dataset.images} - {*ten})
    annotated = remade_arm.some(dataset, ten, own / "images", PLACE / "ten" / str(draw))
    by = Labellers(weights, params.now.study.imgsz, [str(annotated)])
    found, left_out = unlabelled.label(asked, [], by, annotated, params.feedback, params.split)
    with files.replacing(folder) as into:
        unlabelled.write(into, found, asked)
        facts = unlabelled.measured(found, dataset, asked) | {"left_out": dict(left_out)}
        files.write_json(into / FACTS, facts)
    return folder


def sheet(folder: Path) -> np.ndarray:
    """Return some of a folder's photographs with the outlines that they were given."""
    dataset, tiles = coco.read(folder / "annotations.json"), []
    for image in dataset.images[:PICTURES]:
        pixels = photo.shown(folder / "images" / image.file_name)
        for annotation in coco.by_image(dataset)[image.id]:
            for outline in segmentation.polygons(annotation, image.width, image.height):
                cv2.polylines(pixels, [outline.round().astype(np.int32)], True, drawing.SURE, 2)
        tiles.append(photo.fit(pixels, TILE))
    return drawing.sheet(tiles, COLUMNS)


if __name__ == "__main__":
    command.run(main, __doc__, draws="how many random draws of ten photographs", steps="of each detector")

"""`make product` on a few of somebody's photographs, beside ultralytics with its default settings on the same ones.

Deals the photographs of a folder (images/ and a COCO file) into a test part and the rest, near-duplicates to one of the
two, and draws a few of the rest. `make product` runs in a clone of this checkout's last commit; ultralytics trains the
same model from scratch, as `yolo detect train` does when it is told nothing else. Both are then shown the test part,
which neither has seen. A killed run goes on where it was. Nothing is chosen on these photographs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
import yaml

from benchmarks import conditions, real_photographs
from stages import command, files, paths, settings
from stages.dataset import coco, yolo_labels
from stages.detector import metrics, predict
from stages.detector.scenes import DetectedScene
from stages.evidence import held_out, remade_arm
from stages.evidence.statistics import Interval
from stages.product import card

NAME, PLAIN = "product", 640  # what it is called in the clone; pixels that ultralytics trains on by default
DRAWS = 2000  # resamplings of the test photographs
WORK = paths.CHECKPOINTS / "plain_ultralytics"


def main(folder: str, annotations: str = "annotations.json", count: int = 10, draw: int = 0) -> None:
    params, place = settings.load(), Path(folder)
    dataset = coco.read(place / annotations)
    test, rest = real_photographs.dealt(dataset, place / "images", params)
    chosen = np.random.default_rng(draw).permutation(rest).tolist()[:count]
    name = f"plain_{place.name}_{len(dataset.categories)}_classes_{count}"
    work = WORK / name / str(draw)
    few = remade_arm.some(dataset, chosen, place / "images", work / "few")
    ours, minutes = product(few, work / "clone")
    theirs, their_minutes = plain(few, work / "plain")
    about = card.read(ours)
    tested = coco.subset(dataset, test)
    both = [
        scenes(tested, place / "images", *of) for of in ((ours / card.WEIGHTS, about.imgsz), (theirs, PLAIN))
    ]  # fmt: skip
    classes = len(dataset.categories)
    points = [metrics.coco_map(of, classes) for of in both]
    draws = [metrics.bootstrap(metrics.match(of, classes), DRAWS, 0) for of in both]
    figures: dict = {
        "photographs": count, "objects": len(coco.read(few / "annotations.json").annotations), "classes": classes,
        "test photographs": len(test), "pixels": [about.imgsz, PLAIN],
        "minutes": [round(minutes, 1), round(their_minutes, 1)],
    }  # fmt: skip
    for k, measure in enumerate(("mAP50", "mAP50-95")):
        for who, of, several in zip(("make product", "ultralytics"), points, draws, strict=True):
            figures[f"{measure}, {who}"] = interval(of[k], several[:, k])
        gain = draws[0][:, k] - draws[1][:, k]
        figures[f"{measure}, gain"] = interval(points[0][k] - points[1][k], gain)
    estimate = about.figures.get("map50_95", {})
    figures["mAP50-95, as the card says"] = {key: round(value, 3) for key, value in estimate.items()}
    conditions.record(name if not draw else f"{name}_{draw}", figures, ("torch", "ultralytics-opencv-headless"))
    shutil.rmtree(work)


def interval(value: float, draws: np.ndarray) -> str:
    return real_photographs.said(Interval(value, *np.percentile(draws, (2.5, 97.5))))


def product(few: Path, clone: Path) -> tuple[Path, float]:
    """Return the folder of the product that `make product` makes of photographs in a clone, and its minutes in all."""
    done, took = clone / paths.RELEASED / NAME, clone.with_suffix(".minutes")
    if not (done / card.PAGE).exists():
        if not clone.exists():
            subprocess.run(["git", "clone", "--quiet", ".", str(clone)], check=True)
            for key, value in (("user.name", "benchmark"), ("user.email", "benchmark@localhost")):
                subprocess.run(["git", "config", key, value], cwd=clone, check=True)
        timed([sys.executable, "-m", "flows.product", str(few.resolve()), "--name", NAME], clone, took)
    return done, msgspec.json.decode(took.read_bytes(), type=float)


def plain(few: Path, place: Path) -> tuple[Path, float]:
    """Return the weights that ultralytics' defaults make of photographs, and its minutes in all."""
    weights, took = place / "runs" / "train" / "weights" / "best.pt", place.with_suffix(".minutes")
    if not took.exists():
        written(few, place / "data")
        model, runs = settings.load().now.detector.model, (place / "runs").resolve()
        train = (f"from ultralytics import YOLO; YOLO('{model}.yaml').train(data='data/data.yaml', project='{runs}', "
                 "name='train', exist_ok=True)")  # fmt: skip
        timed([sys.executable, "-c", train], place, took)
    return weights, msgspec.json.decode(took.read_bytes(), type=float)


def timed(arguments: list[str], folder: Path, took: Path) -> None:
    """Run a command in a folder, and add its minutes to those in a file."""
    began = time.monotonic()
    environ = os.environ | {
        "PYTHONPATH": str(folder.resolve()),
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",
    }
    try:
        subprocess.run(arguments, cwd=folder, env=environ, check=True)
    finally:
        before = msgspec.json.decode(took.read_bytes(), type=float) if took.exists() else 0.0
        files.write_json(took, before + (time.monotonic() - began) / 60)


def written(few: Path, into: Path) -> None:
    """Write photographs as ultralytics reads them: boxes, and the same ones to validate with, having no others."""
    dataset = coco.read(few / "annotations.json")
    texts, _ = yolo_labels.labels(dataset, yolo_labels.usable(dataset)[0], polygons=False)
    for image, name, rows in zip(dataset.images, yolo_labels.flat_names(dataset.images), texts, strict=True):
        copy = into / "images" / f"{name}{Path(image.file_name).suffix}"
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(few / "images" / image.file_name, copy)
        files.write(into / "labels" / f"{name}.txt", rows)
    about = {"path": str(into.resolve()), "train": "images", "val": "images",
             "names": dict(enumerate(coco.class_names(dataset)))}  # fmt: skip
    files.write(into / "data.yaml", yaml.safe_dump(about, sort_keys=False))


def scenes(test: coco.Coco, images: Path, weights: Path, imgsz: int) -> list[DetectedScene]:
    """Return what a detector sees in test photographs, its classes numbered as the dataset's are."""
    found = held_out.seen(held_out.load(test, images, imgsz), weights)
    names = coco.class_names(test)
    numbers = np.array([names.index(name) for name in predict.names(weights)], float)
    for scene in found:
        scene.detections[:, 5] = numbers[scene.detections[:, 5].astype(int)]
    return found


if __name__ == "__main__":
    command.run(
        main,
        __doc__,
        folder="with images/",
        annotations="the COCO file in it",
        count="photographs that are given to both",
        draw="which ones: a seed",
    )

"""How fast `make detect` looks at photographs, beside ultralytics' own command on the same ones, in one run.

Both read each photograph, look at it in batches of the same size, and write a copy with boxes. They take turns.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import cv2
import msgspec
import numpy as np

from benchmarks import conditions
from stages import command, files, paths, settings
from stages.dataset import coco, photo
from stages.dataset import subset as subsets
from stages.dataset.bins import world
from stages.detector import model, predict
from stages.evidence import arm, mix
from stages.product import card, detect
from stages.product.card import Calibration, Card, KnownClass
from stages.settings import Settings

PHOTOGRAPHS = {"1280×720": (1280, 720, 240), "4000×2250": (4000, 2250, 40)}  # width, height, and how many
ROUNDS = 3
STEPS, BATCH = 100, 16  # of the detector's training: it has to see something, and that suffices
CONFIDENCE = "0.05"  # which so small a detector reaches
WORK = paths.CHECKPOINTS / "detect_speed"


def main() -> None:
    params = settings.load()
    shutil.rmtree(WORK, ignore_errors=True)
    rule = msgspec.structs.replace(params.now.bins, width=1280, height=720, images={"tube_mint": 24}, extra_test={})
    world.generate(rule, params.seed, WORK / "bins")
    folder = detector(params)
    figures = {}
    for name, (width, height, count) in PHOTOGRAPHS.items():
        photos = photographs(WORK / name, width, height, count)
        spent: dict[str, list[float]] = {"ours": [], "ultralytics": []}
        for turn in range(ROUNDS + 1):
            for who, look in (("ours", ours), ("ultralytics", theirs)):
                began = time.perf_counter()
                look(folder, photos)
                if turn:  # the first turn warms up
                    spent[who].append(time.perf_counter() - began)
        for who, of in spent.items():
            figures[f"{name}, {who}"] = f"{count / np.median(of):.1f} photographs a second"
        ratios = np.array(spent["ultralytics"]) / spent["ours"]
        figures[f"{name}, ours against ultralytics"] = round(float(np.median(ratios)), 2)
    conditions.record("detect_speed", figures, ("torch", "ultralytics-opencv-headless"))
    shutil.rmtree(WORK)


def detector(params: Settings) -> Path:
    """Train a small detector, and put it where `make detect` looks for one."""
    dataset, how = coco.read(WORK / "bins" / "annotations.json"), params.now.evidence
    subsets.fill(WORK / "own", dataset, WORK / "bins" / "images")
    mix.write([mix.Part([WORK / "own"], 1.0)], WORK / "data", how.imgsz, arm.BATCHES * BATCH, params.seed)
    how = msgspec.structs.replace(how, batch=BATCH, steps=STEPS)
    trained = model.train(
        WORK / "data", arm.detector(params, how, "standard", None), params.seed, WORK / "state", "a detector"
    )
    folder = WORK / "product"
    files.write(folder / card.WEIGHTS, trained.last.read_bytes())
    names = [KnownClass(k, name) for k, name in enumerate(coco.class_names(dataset))]
    card.write(folder, Card(
        product="product", promoted=True, why="", arm="", classes=names, imgsz=how.imgsz, confidence=0.25,
        trained_on={}, figures={}, chosen_on="", thresholds={}, calibration=Calibration(), miscalibration={}, onnx={},
        made={},
    ))  # fmt: skip
    return folder


def photographs(folder: Path, width: int, height: int, count: int) -> Path:
    """Write so many photographs as a telephone would: JPEG, of one size."""
    drawn = [photo.read(path) for path in sorted((WORK / "bins" / "images").rglob("*.png"))]
    for number in range(count):
        pixels = cv2.resize(drawn[number % len(drawn)], (width, height))
        photo.save(folder / f"{number:04}.jpg", pixels)
    return folder


def ours(folder: Path, photos: Path) -> None:
    paths.RELEASED = folder.parent
    detect.main(photos, folder.name, CONFIDENCE, WORK / "ours" / photos.name)


def theirs(folder: Path, photos: Path) -> None:
    from ultralytics import YOLO

    results = YOLO(str(folder / card.WEIGHTS)).predict(
        str(photos), imgsz=card.read(folder).imgsz, conf=float(CONFIDENCE), iou=predict.NMS, max_det=predict.MOST,
        batch=detect.BATCH, device=predict.device(), project=str((WORK / "theirs").resolve()), name=photos.name,
        exist_ok=True, save=True, stream=True, verbose=False,
    )  # fmt: skip
    for _ in results:
        pass


if __name__ == "__main__":
    command.run(main, __doc__)

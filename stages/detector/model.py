"""Training a detector, in plain words: a YOLO dataset in, weights out."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from msgspec import to_builtins
from PIL import Image

from stages import files, gpu
from stages.detector.predict import device, names
from stages.problem import Problem
from stages.settings import Detector


@dataclass(frozen=True)
class Trained:
    best: Path  # weights of the best validation
    last: Path  # weights after the last epoch
    curves: list[dict[str, float]]
    seconds: float  # of this process; less than the whole after a resume


def train(data: Path, rule: Detector, seed: int, checkpoints: Path, title: str) -> Trained:
    """Train on the YOLO dataset in folder `data`; a run of the same settings and data that was killed is continued.

    The state lives in `checkpoints`/<fingerprint>; remove it with `forget` once the weights are in their place.
    """
    _check(data, rule)
    mark = files.fingerprint(
        "detector", to_builtins(rule), seed, data, files.digest(Path(rule.weights)) if rule.weights else ""
    )
    folder = checkpoints / mark
    started = time.monotonic()
    from stages.detector.trainer import Trainer  # and ultralytics, which takes seconds

    with files.locked(folder / "lock"):
        trainer = Trainer(_overrides(data, rule, seed, folder), folder, rule.validations, title, crop(rule), rule.drawn)
        trainer.train()
    return Trained(trainer.best, trainer.last, trainer.curves, time.monotonic() - started)


def forget(trained: Trained) -> None:
    """Drop the checkpoints of a finished run."""
    shutil.rmtree(trained.best.parents[2])


def epochs_of(images: int, rule: Detector) -> int:
    """Return how many epochs a training on so many images has: of few images, as many as it takes for enough steps."""
    return max(rule.epochs, -(-rule.least_steps // -(-(rule.drawn or images) // rule.batch)))


def crop(rule: Detector) -> int:
    """Return the side of the squares that are cut out of pictures to train on; 0, where pictures are no larger."""
    return rule.crop if rule.crop < rule.imgsz else 0


def _overrides(data: Path, rule: Detector, seed: int, folder: Path) -> dict:
    epochs = epochs_of(len(list((data / "images" / "train").iterdir())), rule)
    return {
        "model": f"{rule.model}.yaml",
        "pretrained": rule.weights or False,
        "data": str((data / "data.yaml").resolve()),
        "project": str(folder.resolve()),
        "name": "run",
        "exist_ok": True,
        "imgsz": rule.imgsz,
        "epochs": epochs,
        "batch": rule.batch,
        "device": device(),
        "seed": seed,
        "deterministic": True,
        "workers": 4 if gpu.count() else 0,
        # Of GPUs without bf16 full precision is asked: ultralytics' check of fp16 would download a model.
        "amp": "bf16" if gpu.count() and gpu.multiplies_in_bf16(gpu.device()) else False,
        "rect": not rule.augment.mosaic and not crop(rule) and _one_shape(data),  # spares a wide picture its padding
        # A small dataset never leaves the default warm-up and accumulation.
        "optimizer": "AdamW",
        "lr0": rule.lr,
        "lrf": 0.02,
        "nbs": rule.batch,
        "warmup_epochs": min(1.0, epochs / 10),
        "warmup_bias_lr": rule.lr,
        "patience": 0,
        "plots": False,
        "save": True,
        "verbose": False,
        "close_mosaic": 0,
        "erasing": 0.0,
        "auto_augment": None,
        **to_builtins(rule.augment),
    }


def _check(data: Path, rule: Detector) -> None:
    if rule.weights and not Path(rule.weights).is_file():
        raise Problem(f"detector.weights: {rule.weights} does not exist (null: from scratch)")
    if rule.weights:
        names(Path(rule.weights))  # it can be read
    for part in ("train", "val"):
        labels = list((data / "labels" / part).glob("*.txt"))
        if not labels:
            raise Problem(f"{data}: there are no {part} images; a detector needs at least one")
        if not any(label.stat().st_size for label in labels):
            raise Problem(f"{data}: the {part} images show no object at all")


def _one_shape(data: Path) -> bool:
    shapes = set()
    for path in (data / "images" / "train").iterdir():
        with Image.open(path) as picture:
            shapes.add(picture.size)
    return len(shapes) == 1

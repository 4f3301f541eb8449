"""A detector that has learnt nothing and sees much: for all that is done with detectors but training them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import stages.detector  # which keeps ultralytics from the network  # noqa: F401
from stages.product import card
from stages.product.card import Calibration, Card, KnownClass, Measured, Rates, Threshold

IMGSZ = 96


def write(path: Path, names: tuple[str, ...] = ("box", "can"), seed: int = 0) -> Path:
    """Write the weights of a YOLOv5n with random weights and loose scores."""
    import torch
    from ultralytics.nn.tasks import DetectionModel

    from stages.detector import trainer

    torch.manual_seed(seed)
    model = DetectionModel("yolov5n.yaml", nc=len(names), verbose=False)
    model.names = dict(enumerate(names))
    for norm in model.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            norm.momentum = None  # take over what the next picture gives
    shown = np.stack([noise(IMGSZ, IMGSZ, k) for k in range(4)]).transpose(0, 3, 1, 2)
    with torch.no_grad():
        model.train()(torch.from_numpy(shown / 255).float())
    model.eval()
    for scores in model.model[-1].cv3:  # of its last layer, one for each size of things
        torch.nn.init.normal_(scores[-1].weight, std=0.1)
        torch.nn.init.constant_(scores[-1].bias, -1.5)
    path.parent.mkdir(parents=True, exist_ok=True)
    trainer.save_weights(model, {"task": "detect", "imgsz": IMGSZ, "single_cls": False}, path)
    return path


def product(folder: Path, names: tuple[str, ...] = ("box", "can"), confidence: float = 0.2) -> Card:
    """Write a product's folder around such a detector; return its card."""
    write(folder / card.WEIGHTS, names)
    some = Measured(0.95, 0.9, 1.0)
    about = Card(
        product=folder.name, promoted=True, why="it is better", arm="paste",
        classes=[KnownClass(3 * k, name) for k, name in enumerate(names, 1)], imgsz=IMGSZ, confidence=0.25,
        trained_on={}, figures={}, chosen_on="validation", onnx={}, made={}, miscalibration={},
        thresholds={"precision": Threshold(confidence, Rates(some, some)), "recall": None},
        calibration=Calibration(0.5, 0.1),
    )  # fmt: skip
    card.write(folder, about)
    return about


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Return a picture in which such a detector sees things."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (-(-height // 8), -(-width // 8), 3), np.uint8)
    return np.kron(coarse, np.ones((8, 8, 1), np.uint8))[:height, :width]

"""Asking a trained detector: boxes, or features."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from stages.problem import Problem

if TYPE_CHECKING:
    from ultralytics import YOLO

LEAST = 0.001  # confidence below which nothing is reported at all
NMS = 0.7  # overlap above which the less sure of two detections is dropped

Picture = Path | np.ndarray  # a file, or uint8 RGB


def device() -> str:
    """Return the device that detectors run on, as ultralytics names it."""
    import torch

    return "0" if torch.cuda.is_available() else "cpu"


def predict(
    weights: Path, pictures: Iterable[Picture], imgsz: int, batch: int = 32, nms: float = NMS
) -> Iterator[np.ndarray]:
    """Yield an array (n, 6) a picture: x, y, width, height as shares of the picture, confidence, class number."""
    model = _model(weights)
    for part in _batches(pictures, batch):
        results = model.predict(
            part,
            imgsz=imgsz, conf=LEAST, iou=nms, max_det=100, device=device(), batch=batch, verbose=False, save=False,
        )  # fmt: skip
        for result in results:
            boxes = cast(Any, result).boxes  # its stubs say tensors, arrays or None
            middle = boxes.xywhn.cpu().numpy()
            corner = middle[:, :2] - middle[:, 2:] / 2
            conf, number = boxes.conf.cpu().numpy()[:, None], boxes.cls.cpu().numpy()[:, None]
            yield np.concatenate([corner, middle[:, 2:], conf, number], 1).astype(np.float64)


def names(weights: Path) -> list[str]:
    """The classes that a detector knows, in the order of their numbers."""
    known = _model(weights).names
    return [known[number] for number in sorted(known)]


def features(weights: Path, pictures: Iterable[Picture], imgsz: int, batch: int = 32) -> np.ndarray:
    """(n, d): what the detector's last feature map holds of each picture, averaged over its places."""
    model = _model(weights)
    rows = []
    for part in _batches(pictures, batch):
        found = model.embed(part, imgsz=imgsz, device=device(), batch=batch, verbose=False)
        rows += [row.float().cpu().numpy() for row in found]
    return np.stack(rows)


def _model(weights: Path) -> YOLO:
    from ultralytics import YOLO  # which takes seconds: only where something is detected

    try:
        return YOLO(str(weights), task="detect")
    except (TypeError, struct.error) as error:
        raise Problem(f"{weights}: these are no detector's weights ({error})") from None


def _batches(pictures: Iterable[Picture], batch: int) -> Iterator[list]:
    listed = [str(p) if isinstance(p, Path) else np.ascontiguousarray(p[..., ::-1]) for p in pictures]
    for start in range(0, len(listed), batch):
        yield listed[start : start + batch]

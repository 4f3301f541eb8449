"""A detector as ONNX, for whoever runs it without torch."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np

from stages import files
from stages.detector.predict import LEAST, MOST, NMS, loaded

VARYING = "date"  # of what ultralytics writes beside the network
OPSET = 18


def onnx(weights: Path, target: Path, imgsz: int) -> None:
    """Write a detector as ONNX; equal weights give equal files.

    Its input `images` is (1, 3, height, width), RGB from 0 to 1, both sides multiples of the stride. Its output is
    (1, MOST, 6): left, top, right, bottom in pixels, confidence, class number, the most confident first, and zeros
    where there are fewer. Doubles are dropped as in `predict`.
    """
    import onnx as format_

    with tempfile.TemporaryDirectory() as place:
        copy = Path(shutil.copyfile(weights, Path(place) / "detector.pt"))
        made = loaded(copy).export(
            format="onnx", imgsz=imgsz, dynamic=True, nms=True, conf=LEAST, iou=NMS, max_det=MOST, opset=OPSET,
            simplify=False, device="cpu", verbose=False,
        )  # fmt: skip
        model = format_.load(made)
    kept = [entry for entry in model.metadata_props if entry.key != VARYING]
    del model.metadata_props[:]
    model.metadata_props.extend(sorted(kept, key=lambda entry: entry.key))
    files.write(target, model.SerializeToString(deterministic=True))


def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return, for each of a picture's detections by one detector, by how much the nearest by another differs, in its
    box as shares of the picture, in confidence or class."""
    if not len(one) or not len(other):
        return np.ones(len(one))
    return np.abs(one[:, None] - other[None]).max(2).min(1)

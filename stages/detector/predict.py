"""Asking a trained detector: boxes, or features."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from stages import gpu
from stages.dataset import photo
from stages.problem import Problem

if TYPE_CHECKING:
    from ultralytics import YOLO

LEAST = 0.001  # confidence below which nothing is reported at all
NMS = 0.7  # overlap above which the less sure of two detections is dropped
MOST = 100  # detections in one picture
BATCH = 32

# What reading a file raises that is no pickle of a detector.
BROKEN = (
    TypeError,
    LookupError,
    ValueError,
    AttributeError,
    RuntimeError,
    EOFError,
    ImportError,
    UnpicklingError,
    struct.error,
)

Picture = Path | np.ndarray  # a file, or uint8 RGB
Look = Callable[[Sequence[Picture]], list[np.ndarray]]


def device() -> str:
    """Return the device that detectors run on, as ultralytics names it."""
    return "0" if gpu.count() else "cpu"


def opened(weights: Path, imgsz: int, batch: int = BATCH, nms: float = NMS) -> Look:
    """Return a detector to be asked again and again, with one batch of pictures at a time.

    It answers with an array (n, 6) a picture: x, y, width, height as shares of the picture, confidence, class number.
    """
    return asking(loaded(weights), imgsz, batch, nms)


def asking(model: YOLO, imgsz: int, batch: int, nms: float) -> Look:
    def look(pictures: Sequence[Picture]) -> list[np.ndarray]:
        results = model.predict(
            _listed(pictures),
            imgsz=imgsz, conf=LEAST, iou=nms, max_det=MOST, device=device(), batch=batch, verbose=False, save=False,
        )  # fmt: skip
        return [_answer(cast(Any, result).boxes) for result in results]  # its stubs say tensors, arrays or None

    return look


def _answer(boxes: Any) -> np.ndarray:
    middle = boxes.xywhn.cpu().numpy()
    corner = middle[:, :2] - middle[:, 2:] / 2
    conf, number = boxes.conf.cpu().numpy()[:, None], boxes.cls.cpu().numpy()[:, None]
    return np.concatenate([corner, middle[:, 2:], conf, number], 1).astype(np.float64)


def predict(
    weights: Path, pictures: Iterable[Picture], imgsz: int, batch: int = BATCH, nms: float = NMS
) -> Iterator[np.ndarray]:
    """Yield what a detector answers (see `opened`) for each picture."""
    look = opened(weights, imgsz, batch, nms)
    for part in batches(pictures, batch):
        said: dict[int, np.ndarray] = {}
        for places in _alike(part):  # of several shapes all would be padded to one: other pictures would count
            said |= zip(places, look([part[k] for k in places]), strict=True)
        yield from (said[k] for k in range(len(part)))


def closely(
    weights: Path, pictures: Iterable[Picture], imgsz: int, batch: int = BATCH
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield for each picture what `predict` and what `features` give, by one look at it."""
    from torch.nn.functional import adaptive_avg_pool2d

    model, pooled = loaded(weights), []

    def keep(_layer: object, _inputs: object, made: Any) -> None:
        pooled.append(adaptive_avg_pool2d(made, 1).flatten(1).float().cpu().numpy())

    look = asking(model, imgsz, batch, NMS)
    layers: Any = model.model
    layers.model[-2].register_forward_hook(keep)  # what ultralytics' own `embed` gives
    for part in batches(pictures, batch):
        pooled.clear()
        said = look(part)
        yield from zip(said, np.concatenate(pooled)[-len(said) :], strict=True)


def names(weights: Path) -> list[str]:
    """The classes that a detector knows, in the order of their numbers."""
    known = loaded(weights).names
    return [known[number] for number in sorted(known)]


def features(weights: Path, pictures: Iterable[Picture], imgsz: int, batch: int = BATCH) -> np.ndarray:
    """(n, d): what the detector's last feature map holds of each picture, averaged over its places."""
    model = loaded(weights)
    rows = []
    for part in batches(pictures, batch):
        found = model.embed(_listed(part), imgsz=imgsz, device=device(), batch=batch, verbose=False)
        rows += [row.float().cpu().numpy() for row in found]
    return np.stack(rows)


def batches(items: Iterable[Any], together: int) -> Iterator[list[Any]]:
    """Yield items, so many together as are looked at together."""
    todo = iter(items)
    while part := list(islice(todo, together)):
        yield part


def loaded(weights: Path) -> YOLO:
    from ultralytics import YOLO  # which takes seconds: only where something is detected

    try:
        return YOLO(str(weights), task="detect")
    except BROKEN as error:
        raise Problem(f"{weights}: these are no detector's weights ({error})") from None


def _alike(pictures: Sequence[Picture]) -> list[list[int]]:
    """Return the places of pictures that may share a batch, batch by batch: those of one shape, where it is known."""
    pixels = [picture for picture in pictures if not isinstance(picture, Path)]
    return photo.by_shape(pixels) if len(pixels) == len(pictures) else [list(range(len(pictures)))]


def _listed(pictures: Sequence[Picture]) -> list[str | np.ndarray]:
    """Return pictures as ultralytics takes them: by name, or in BGR."""
    return [str(p) if isinstance(p, Path) else np.ascontiguousarray(p[..., ::-1]) for p in pictures]

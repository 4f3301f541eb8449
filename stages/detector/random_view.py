"""What of a picture a training step sees: turned, scaled and shifted as ultralytics does it, and of a large picture a
square cut out of it. So small objects are learnt at their size for the price of a small picture; whole pictures are
looked at afterwards."""

from __future__ import annotations

import copy
import math
import random
from typing import Any

import numpy as np
from ultralytics.data.augment import Compose, RandomPerspective
from ultralytics.utils.instance import Instances

SHOWING = 0.75  # of the squares are cut around an object, the others anywhere
OFF = 0.35  # of a square's side, by which its middle lies off that object's at most
FULL = 0.99  # of a box is what fills it: its own corners, or the outline of what lies as straight as they do


class RandomView(RandomPerspective):
    """Turns, scales and shifts a picture, and shows all of it, or a square of so many pixels where `side` is not 0.

    A picture with an object of which only the box is known is turned by quarters, which leave a box what it is: the box
    of a box at an angle is up to twice as large.
    """

    def __init__(self, like: RandomPerspective, side: int):
        size = (side, side) if side else like.size
        super().__init__(like.degrees, like.translate, like.scale, like.shear, like.perspective, size=size)
        self.side = side

    def get_params(self, labels: dict[str, Any]) -> dict[str, Any]:
        params = super().get_params(labels)
        height, width = labels["img"].shape[:2]
        objects = copy.deepcopy(labels["instances"])
        objects.convert_bbox("xywh")
        objects.denormalize(width, height)
        if self.degrees and any_box(objects):
            across, down = params["size"]
            params["M"] = params["M"] @ _to_step(params["M"], 90 if across == down else 180, width / 2, height / 2)
        if self.side:
            x, y = self._middle(objects, width, height)
            params["M"] = params["M"] @ _moved(width / 2 - x, height / 2 - y)
        return params

    def apply_image(self, labels: dict[str, Any], params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Move the pixels with the boxes. Ultralytics takes a pixel's middle for its corner: what it turns half round
        lies a pixel beside its box."""
        assert params is not None
        return super().apply_image(labels, params | {"M": _moved(-0.5, -0.5) @ params["M"] @ _moved(0.5, 0.5)})

    def _middle(self, objects: Instances, width: int, height: int) -> tuple[float, float]:
        """Return the point of a picture that comes to lie in the square's middle: no border is seen if it need not."""
        side = self.side
        around = len(objects) and random.random() < SHOWING
        x, y = random.choice(objects.bboxes)[:2] if around else (random.uniform(0, width), random.uniform(0, height))
        x, y = (float(at) + (random.uniform(-OFF, OFF) * side if around else 0) for at in (x, y))
        return _within(x, side, width), _within(y, side, height)


def replace_in(transforms: Compose, side: int) -> None:
    """Let a training set's transforms show random views: squares of so many pixels, or whole pictures (0)."""
    first = transforms.transforms[0]  # mosaic, copy-paste, and the one that turns and scales
    place, turn = next((k, t) for k, t in enumerate(first.transforms) if isinstance(t, RandomPerspective))
    first.transforms[place] = RandomView(turn, side)


def any_box(objects: Instances) -> bool:
    """Return whether of an object no more than its box is known (x, y, width and height in pixels)."""
    if not len(objects.segments):
        return len(objects) > 0
    x, y = objects.segments[..., 0], objects.segments[..., 1]
    areas = abs((x * np.roll(y, -1, 1) - np.roll(x, -1, 1) * y).sum(1)) / 2
    return bool((areas >= FULL * objects.bboxes[:, 2:].prod(1)).any())


def _to_step(matrix: np.ndarray, degrees: int, x: float, y: float) -> np.ndarray:
    """Return the turn about a point that is lacking until a matrix turns by a multiple of so many degrees."""
    turned, step = math.atan2(matrix[1, 0], matrix[0, 0]), math.radians(degrees)
    rest = round(turned / step) * step - turned
    turn = np.eye(3, dtype=np.float32)
    turn[:2, :2] = (math.cos(rest), -math.sin(rest)), (math.sin(rest), math.cos(rest))
    return _moved(x, y) @ turn @ _moved(-x, -y)


def _moved(x: float, y: float) -> np.ndarray:
    by = np.eye(3, dtype=np.float32)
    by[:2, 2] = x, y
    return by


def _within(middle: float, side: int, length: int) -> float:
    """Return the nearest middle of a square that lies inside a picture of this length; where none does, its own."""
    return min(max(middle, side / 2), length - side / 2) if side < length else length / 2

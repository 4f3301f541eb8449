"""Training on squares cut out of pictures, so that small objects are learnt at their size for the price of a small
picture; whole pictures are looked at afterwards."""

from __future__ import annotations

import copy
import random
from typing import Any

import numpy as np
from ultralytics.data.augment import Compose, RandomPerspective

SHOWING = 0.75  # of the squares are cut around an object, the others anywhere
OFF = 0.35  # of a square's side, by which its middle lies off that object's at most


class RandomCrop(RandomPerspective):
    """Turns, scales and shifts a picture as ultralytics does, and shows a square of it instead of the whole."""

    def __init__(self, turn: RandomPerspective, side: int):
        super().__init__(turn.degrees, turn.translate, turn.scale, turn.shear, turn.perspective, size=(side, side))
        self.side = side

    def get_params(self, labels: dict[str, Any]) -> dict[str, Any]:
        params = super().get_params(labels)
        height, width = labels["img"].shape[:2]
        x, y = self._middle(labels, width, height)
        to_middle = np.eye(3, dtype=np.float32)
        to_middle[:2, 2] = width / 2 - x, height / 2 - y
        params["M"] = params["M"] @ to_middle
        return params

    def _middle(self, labels: dict[str, Any], width: int, height: int) -> tuple[float, float]:
        """Return the point of a picture that comes to lie in the square's middle: no border is seen if it need not."""
        objects, side = copy.deepcopy(labels["instances"]), self.side
        objects.convert_bbox("xywh")
        objects.denormalize(width, height)
        around = len(objects) and random.random() < SHOWING
        x, y = random.choice(objects.bboxes)[:2] if around else (random.uniform(0, width), random.uniform(0, height))
        x, y = (float(at) + (random.uniform(-OFF, OFF) * side if around else 0) for at in (x, y))
        return _within(x, side, width), _within(y, side, height)


def _within(middle: float, side: int, length: int) -> float:
    """Return the nearest middle of a square that lies inside a picture of this length; where none does, its own."""
    return min(max(middle, side / 2), length - side / 2) if side < length else length / 2


def cut(transforms: Compose, side: int) -> None:
    """Let a training set's transforms show squares of so many pixels."""
    first = transforms.transforms[0]  # mosaic, copy-paste, and the one that turns and scales
    place, turn = next((k, t) for k, t in enumerate(first.transforms) if isinstance(t, RandomPerspective))
    first.transforms[place] = RandomCrop(turn, side)

"""Fill holes in photographs of any size by a trained network.

Each hole is filled in a window of its own, at the network's size, and put back only inside the hole, at full size.
What differs between the filling and the photograph along the border is carried into the hole and fades there, so that
no seam shows where the network missed the light.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from stages import gpu
from stages.gan.networks import from_pixels, to_pixels
from stages.inpaint.classical import Filler
from stages.inpaint.networks import completed, network
from stages.inpaint.windows import around, cut
from stages.training import run_facts, weights

NETWORK = "network.safetensors"  # of a run's folder: the weights that did best on held-out images

REACH = 1 / 24  # of a window's side: how far a difference at the border is carried
FAINT = 0.05  # share of known pixels around, below which it fades


def trained(model: Path) -> nn.Module:
    """Return the network of a finished run, ready to fill holes."""
    recipe = run_facts.read(model)["recipe"]
    made = network(recipe["network"], recipe["dim"], recipe["dropout"])
    made.load_state_dict(weights.load(model / NETWORK))
    return made.to(gpu.device()).eval().requires_grad_(False)


def filler(model: Path) -> Filler:
    """Return a function from a photograph (h, w, 3; uint8 RGB) and what is missing (h, w; bool) to the photograph
    filled."""
    net, size = trained(model), run_facts.read(model)["recipe"]["size"]

    @torch.no_grad()
    def draw(pixels: np.ndarray, known: np.ndarray) -> np.ndarray:
        pictures, masks = from_pixels(pixels[None]), torch.from_numpy(known)[None, None]
        return to_pixels(completed(net, pictures.to(gpu.device()), masks.to(gpu.device())))[0]

    def fill(photograph: np.ndarray, hole: np.ndarray) -> np.ndarray:
        made = photograph.copy()
        count, labels = cv2.connectedComponents(hole.astype(np.uint8))
        for label in range(1, count):
            area = around(labels == label)
            place, known = labels[area] == label, ~hole[area]
            filled = draw(*cut(photograph, ~hole, area, size))
            made[area][place] = _fitted(filled, photograph[area], known)[place]
        return made

    return fill


def _fitted(filled: np.ndarray, photograph: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return a filling at the photograph's size, in its light along the border of what is known."""
    height, width = known.shape
    large = cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    reach = REACH * max(height, width)
    weight = cv2.GaussianBlur(known.astype(np.float32), (0, 0), reach)[..., None]
    missed = cv2.GaussianBlur((photograph - large) * known[..., None], (0, 0), reach)
    return (large + missed / (weight + FAINT)).round().clip(0, 255).astype(np.uint8)

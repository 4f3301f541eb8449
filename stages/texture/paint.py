"""Paint a texture of any size with a trained spatial GAN, window by window, in memory that does not grow with it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from stages import gpu
from stages.gan.networks import to_pixels
from stages.problem import Problem
from stages.texture.contrast import Contrast
from stages.texture.networks import SpatialGenerator, field
from stages.texture.recipe import CELL
from stages.training import run_facts, weights

WINDOW = 16  # places of the noise that are woven at a time, each way


class Paint(Protocol):
    """A function from height and width in pixels, a seed, and whether it shall tile, to a texture (uint8 RGB)."""

    def __call__(self, height: int, width: int, seed: int, tileable: bool = False) -> np.ndarray: ...


def painter(model: Path) -> Paint:
    """Return what a trained texture paints with."""
    facts = run_facts.read(model)
    recipe, contrast = facts["recipe"], Contrast(**facts["contrast"])
    network = SpatialGenerator(recipe["size"], recipe["z"], recipe["dim"])
    learnt = weights.load(model / weights.GENERATOR)
    network.load_state_dict({name: value for name, value in learnt.items() if "encoder" not in name})
    network = exact(network)

    def paint(height: int, width: int, seed: int, tileable: bool = False) -> np.ndarray:
        if tileable and (height % CELL or width % CELL):
            raise Problem(f"{height}×{width} pixels cannot tile: expected multiples of {CELL}")
        noise = field(network.z, -(-height // CELL), -(-width // CELL), seed, tileable)
        return contrast.natural(woven(network, noise))[:height, :width]

    return paint


def exact(network: SpatialGenerator) -> SpatialGenerator:
    """Return the network ready to weave, in double precision: then no pixel's rounding depends on how the picture is
    cut into windows."""
    return network.to(gpu.device(), torch.float64).eval().requires_grad_(False)


def woven(network: SpatialGenerator, noise: Tensor, window: int = WINDOW) -> np.ndarray:
    """Return the picture of a field of noise (z, h + 2, w + 2).

    Windows share two places with their neighbours, for what a pixel depends on is no wider, and so they join without a
    seam.
    """
    rows, columns = noise.shape[1] - 2, noise.shape[2] - 2
    picture = np.empty((rows * CELL, columns * CELL, 3), np.uint8)
    for top in range(0, rows, window):
        for left in range(0, columns, window):
            part = noise[:, top : top + window + 2, left : left + window + 2]
            pixels = to_pixels(network.weave(part[None].to(gpu.device(), torch.float64)))[0]
            picture[top * CELL :, left * CELL :][: pixels.shape[0], : pixels.shape[1]] = pixels
    return picture

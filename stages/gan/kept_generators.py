"""Draw with the generators that an experiment has kept (models/gan/<experiment>)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stages import gpu
from stages.gan.networks import Generator, to_pixels
from stages.training import run_facts, weights

WAYS, ALONG = 5, 10  # interpolation: so many ways, so many pictures on each


def kept_name(step: int) -> str:
    """Return the name of the file of the generator as it was after `step` steps of the critic."""
    return f"step_{step:09}.safetensors"


def generator(folder: Path, step: int) -> Generator:
    """Return the generator after a step that was kept, ready to draw."""
    recipe = run_facts.read(folder)["recipe"]
    network = Generator(recipe["size"], recipe["z"], recipe["dim"])
    network.load_state_dict(weights.load(folder / kept_name(step)))
    return network.to(gpu.device()).eval().requires_grad_(False)


def latent(seed: int, z: int) -> Tensor:
    """Return the latent vector of a seed."""
    return torch.randn(z, generator=torch.Generator().manual_seed(seed))


def draw(network: Generator, of: Tensor) -> np.ndarray:
    """Return the picture (size, size, channels) of a latent vector, drawn alone: in a batch its last bits would
    depend on its neighbours."""
    return to_pixels(network(of[None].to(gpu.device())))[0]


def interpolation(network: Generator, seed: int) -> np.ndarray:
    """Return pictures on the way between pairs of latent vectors, at constant angle: that keeps their length."""
    rows = []
    for way in range(WAYS):
        a, b = latent(seed + 2 * way, network.z), latent(seed + 2 * way + 1, network.z)
        angle = torch.arccos(torch.cosine_similarity(a, b, dim=0))
        between = [(torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)
                   for t in torch.linspace(0, 1, ALONG)]  # fmt: skip
        rows.append(np.concatenate([draw(network, of) for of in between], 1))
    return np.concatenate(rows)

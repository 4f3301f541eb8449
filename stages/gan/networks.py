"""The thesis's generator and critic, at any power of two from 32 to 512 pixels.

They follow Keras, in which the thesis was written: its initialisation, its momentum of batch norm (0.99, which torch
calls 0.01), its epsilon of 1e-3, and its layer norm, which works over the channels at each pixel. At 256 pixels they
have its numbers of parameters, which the tests check.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from stages.problem import Problem

SIZES = (32, 64, 128, 256, 512)
EPSILON = 1e-3
SLOPE = 0.2  # of the leaky rectifiers
WIDEST = 8  # times `dim`: no layer has more channels


class Generator(nn.Module):
    """A network from latent vectors (n, z) to pictures (n, channels, size, size) in -1…1."""

    def __init__(self, size: int, z: int = 128, dim: int = 64, channels: int = 3):
        super().__init__()
        self.z = z
        doublings = _doublings(size)
        widths = [min(dim * 2**k, dim * WIDEST) for k in reversed(range(doublings))]
        layers: list[nn.Module] = [nn.ConvTranspose2d(z, widths[0], 4, bias=False), *_after(widths[0])]
        for before, width in pairwise(widths):
            layers += [nn.ConvTranspose2d(before, width, 4, 2, 1, bias=False), *_after(width)]
        layers += [nn.ConvTranspose2d(widths[-1], channels, 4, 2, 1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.apply(_as_keras)

    def forward(self, latent: Tensor) -> Tensor:
        return self.layers(latent[:, :, None, None])


class Critic(nn.Module):
    """A network from pictures (n, channels, size, size) to one number each (n): larger means more real.

    `norm` is layer norm where a penalty follows the gradient of single pictures, batch norm where none does: batch
    norm would tie the pictures of a batch together.
    """

    def __init__(self, size: int, dim: int = 64, norm: str = "layer", channels: int = 3):
        super().__init__()
        widths = [min(dim * 2**k, dim * WIDEST) for k in range(_doublings(size))]
        layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 4, 2, 1), nn.LeakyReLU(SLOPE)]
        for before, width in pairwise(widths):
            layers += [nn.Conv2d(before, width, 4, 2, 1, bias=False), _NORMS[norm](width), nn.LeakyReLU(SLOPE)]
        layers += [nn.Conv2d(widths[-1], 1, 4)]
        self.layers = nn.Sequential(*layers)
        self.apply(_as_keras)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.layers(pictures).flatten()


class PixelNorm(nn.Module):
    """Layer norm over the channels at each pixel. In channels-last memory the permutation moves nothing."""

    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, features: Tensor) -> Tensor:
        last = features.permute(0, 2, 3, 1)
        return layer_norm(last, last.shape[-1:], self.weight, self.bias, EPSILON).permute(0, 3, 1, 2)


def from_pixels(pixels: np.ndarray) -> Tensor:
    """Return uint8 RGB (n, size, size, 3) as the networks take it: -1…1, channels first."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_pixels(pictures: Tensor) -> np.ndarray:
    """Return the networks' pictures as uint8 RGB (n, size, size, 3)."""
    return ((pictures + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()


def _batch_norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=EPSILON, momentum=0.01)


_NORMS = {"batch": _batch_norm, "layer": PixelNorm}


def _after(width: int) -> tuple[nn.Module, nn.Module]:
    return _batch_norm(width), nn.ReLU()


def _doublings(size: int) -> int:
    """Return how often the size halves on the way to 4 pixels."""
    if size not in SIZES:
        raise Problem(f"gan.size: {size} is not allowed: expected one of {', '.join(map(str, SIZES))}")
    return size.bit_length() - 3


def _as_keras(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def norm_for(penalty: str) -> str:
    """Return the critic's norm that goes with a penalty."""
    return "batch" if penalty == "none" else "layer"

"""The networks that fill: each takes pictures in -1…1 whose holes are marked, and draws what a smooth filling misses.

So even one that has learnt nothing carries the colours around a hole into it, and what is known stays as it is.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d

MARK = -2.0  # a value that no picture has: a hole is told from what is merely black or white
EPSILON = 1e-3  # of batch norm, as Keras has it


class Autoencoder(nn.Module):
    """A network that halves the picture three times and doubles it again, with two convolutions at each size and `deep`
    at the least.

    With `skip`, every size is handed across. At dim 32 these have the numbers of parameters that the tests name.
    """

    def __init__(self, dim: int, dropout: float, kernel: int, deep: int, skip: bool):
        super().__init__()
        widths = [dim, 2 * dim, 4 * dim]
        self.skip = skip
        self.down = nn.ModuleList(_block(a, b, 2, kernel, dropout) for a, b in pairwise([3, *widths]))
        self.middle = _block(4 * dim, 8 * dim, deep, kernel, dropout)
        self.up = nn.ModuleList(
            _block(before + skip * width, width, 2, kernel, dropout)
            for before, width in pairwise([8 * dim, *reversed(widths)])
        )
        self.last = nn.Conv2d(dim, 3, kernel, padding=kernel // 2)
        self.apply(_as_keras)
        nn.init.zeros_(self.last.weight)

    def forward(self, pictures: Tensor) -> Tensor:
        features, across = pictures, []
        for block in self.down:
            features = block(features)
            across.append(features)
            features = max_pool2d(features, 2)
        features = self.middle(features)
        for block, aside in zip(self.up, reversed(across), strict=True):
            features = interpolate(features, scale_factor=2, mode="nearest")
            features = block(torch.cat([features, aside], 1) if self.skip else features)
        return torch.tanh(self.last(features))


class Completion(nn.Module):
    """The network of Iizuka et al. 2017: a quarter of the size at the narrowest, and dilated convolutions that look
    far."""

    def __init__(self, dim: int, dropout: float):
        super().__init__()
        wide = 4 * dim
        far = [layer for step in (2, 4, 8) for layer in _layer(wide, wide, dilation=step)]
        self.layers = nn.Sequential(
            *_layer(3, dim, 5),
            *_layer(dim, 2 * dim, stride=2), *_layer(2 * dim, 2 * dim),
            *_layer(2 * dim, wide, stride=2), *_layer(wide, wide),
            *far, *_layer(wide, wide), nn.Dropout(dropout),
            nn.Upsample(scale_factor=2), *_layer(wide, 2 * dim), *_layer(2 * dim, 2 * dim),
            nn.Upsample(scale_factor=2), *_layer(2 * dim, dim), *_layer(dim, dim),
        )  # fmt: skip
        self.last = nn.Conv2d(dim, 3, 3, padding=1)
        self.apply(_as_keras)
        nn.init.zeros_(self.last.weight)

    def forward(self, pictures: Tensor) -> Tensor:
        return torch.tanh(self.last(self.layers(pictures)))


def network(name: str, dim: int, dropout: float) -> nn.Module:
    """Return the network of an experiment."""
    if name == "ambient":
        return Completion(dim, dropout)
    if name == "ae":
        return Autoencoder(dim, dropout, kernel=3, deep=4, skip=False)
    return Autoencoder(dim, dropout, kernel=5, deep=3, skip=True)


def marked(pictures: Tensor, known: Tensor) -> Tensor:
    """Return pictures (n, 3, h, w) with all that is not `known` (n, 1, h, w) marked as missing."""
    return torch.where(known, pictures, MARK)


def completed(of: nn.Module, pictures: Tensor, known: Tensor) -> Tensor:
    """Return pictures with all that is not known drawn by a network."""
    return torch.where(known, pictures, smooth(pictures * known, known.float()) + of(marked(pictures, known)))


def smooth(pictures: Tensor, known: Tensor) -> Tensor:
    """Return pictures whose holes are filled from what is known around them, from coarse to fine (Gortler et al. 1996,
    push and pull).

    `known` (n, 1, h, w) is the share of each pixel that is, and `pictures` are multiplied by it.
    """
    if pictures.shape[-1] == 1:
        return pictures
    full = (4 * avg_pool2d(known, 2)).clamp(min=1)  # as many known pixels as make a whole one
    coarse = smooth(4 * avg_pool2d(pictures, 2) / full, 4 * avg_pool2d(known, 2) / full)
    return pictures + (1 - known) * interpolate(coarse, scale_factor=2, mode="bilinear")


def _layer(before: int, width: int, kernel: int = 3, stride: int = 1, dilation: int = 1) -> list[nn.Module]:
    reach = kernel // 2 * dilation
    return [nn.Conv2d(before, width, kernel, stride, reach, dilation), nn.BatchNorm2d(width, EPSILON), nn.ReLU()]


def _block(before: int, width: int, count: int, kernel: int, dropout: float) -> nn.Sequential:
    layers = [layer for k in range(count) for layer in _layer(width if k else before, width, kernel)]
    return nn.Sequential(*layers, nn.Dropout(dropout))


def _as_keras(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        assert module.bias is not None
        nn.init.zeros_(module.bias)

"""The spatial GAN (Jetchev et al. 2016): noise is a field, and all layers are convolutions, so any size comes out.

The transposed convolutions are cut where a neighbour is missing, not padded: no pixel knows of a border, and a picture
that is woven in pieces is the one that is woven whole. Each doubling costs the field one place on either side, which
is why it begins one place wider on either side and the picture ends a pixel wider.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from stages.gan.networks import SLOPE
from stages.texture.recipe import CELL, DOUBLINGS


class SpatialGenerator(nn.Module):
    """A network from latent vectors (n, z), each a square field of noise, to pictures (n, 3, size, size) in -1…1."""

    def __init__(self, size: int, z: int, dim: int, encodes: bool = False):
        super().__init__()
        self.cells = size // CELL + 2
        self.z = z // self.cells**2  # numbers at each place of the noise
        widths = [dim * 2**k for k in reversed(range(DOUBLINGS - 1))]
        layers: list[nn.Module] = []
        for before, width in pairwise([self.z, *widths]):
            layers += [nn.ConvTranspose2d(before, width, 4, 2, 2, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(widths[-1], 3, 4, 2, 2), nn.Tanh())
        self.encoder = encoder(self.z, dim) if encodes else None
        self.apply(_as_dcgan)

    def forward(self, latent: Tensor) -> Tensor:
        return self.weave(latent.unflatten(1, (self.z, self.cells, self.cells)))

    def weave(self, field: Tensor) -> Tensor:
        """Return the pictures (n, 3, h × CELL, w × CELL) of noise (n, z, h + 2, w + 2)."""
        return self.layers(field)[..., 1:-1, 1:-1]

    def encode(self, pictures: Tensor) -> Tensor:
        """Return the noise that would draw these pictures, as far as the encoder knows."""
        assert self.encoder is not None  # asked for at the start
        return self.encoder(pictures).flatten(1)


def encoder(z: int, dim: int) -> nn.Sequential:
    """Return the generator's way back; the noise that comes out has the mean and the spread of the one that goes in
    there."""
    widths = [3, *(dim * 2**k for k in range(DOUBLINGS))]
    layers: list[nn.Module] = []
    for before, width in pairwise(widths):
        layers += [nn.Conv2d(before, width, 4, 2, 1, bias=False), nn.BatchNorm2d(width), nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], z, 3, padding=2), nn.BatchNorm2d(z, affine=False))


def _as_dcgan(module: nn.Module) -> None:
    """Set a layer's weights as DCGAN (Radford et al. 2015) begins, which the spatial GAN rolls out."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def field(z: int, rows: int, columns: int, seed: int, tileable: bool) -> Tensor:
    """Return noise for so many places, and one more on every side: where the picture is to tile, the opposite
    side's."""
    rng = torch.Generator().manual_seed(seed)
    if not tileable:
        return torch.randn(z, rows + 2, columns + 2, generator=rng)
    inner = torch.randn(1, z, rows, columns, generator=rng)
    return nn.functional.pad(inner, (1, 1, 1, 1), mode="circular")[0]

"""How alike two pictures are inside a region: what training minimises, and what is reported.

Pictures are (n, channels, h, w) in 0…1, regions (n, 1, h, w) bool. Everything is a value for each picture (n).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

RADIUS, SPREAD = 5, 1.5  # of the window in which SSIM compares structure, in pixels
STABLE = 0.01**2, 0.03**2  # Wang et al. 2004, for values in 0…1
LEAST = 1e-8  # of a squared error, so that a perfect picture has a PSNR: 80 dB


def ssim(made: Tensor, truth: Tensor, region: Tensor) -> Tensor:
    """Return the structural similarity in windows that are centred in the region: 1 for equal pictures."""
    a, b = _blurred(made), _blurred(truth)
    spread = _blurred(made * made) - a * a, _blurred(truth * truth) - b * b
    together = _blurred(made * truth) - a * b
    light = (2 * a * b + STABLE[0]) / (a * a + b * b + STABLE[0])
    structure = (2 * together + STABLE[1]) / (spread[0] + spread[1] + STABLE[1])
    return _mean(light * structure, region)


def mae(made: Tensor, truth: Tensor, region: Tensor) -> Tensor:
    """Return the mean absolute error in the region."""
    return _mean((made - truth).abs(), region)


def psnr(made: Tensor, truth: Tensor, region: Tensor) -> Tensor:
    """Return the peak signal-to-noise ratio in the region, in dB."""
    return -10 * torch.log10(_mean((made - truth).square(), region).clamp(min=LEAST))


def dice(made: Tensor, truth: Tensor, region: Tensor) -> Tensor:
    """Return Dice's coefficient of values instead of sets; squares below, so that equal pictures have 1."""
    both, a, b = _products(made, truth, region)
    return 2 * both / (a + b)


def jaccard(made: Tensor, truth: Tensor, region: Tensor) -> Tensor:
    """Return Jaccard's index of values instead of sets."""
    both, a, b = _products(made, truth, region)
    return both / (a + b - both)


def cosine(made: Tensor, truth: Tensor, region: Tensor) -> Tensor:
    """Return the cosine of the angle between the pictures as vectors."""
    both, a, b = _products(made, truth, region)
    return both / (a * b).sqrt()


Likeness = Callable[[Tensor, Tensor, Tensor], Tensor]

# What training minimises. PSNR's loss is in units of 10 dB, so that all three are of one size.
LOSSES: dict[str, Likeness] = {
    "ssim": lambda made, truth, region: 1 - ssim(made, truth, region),
    "mae": mae,
    "psnr": lambda made, truth, region: -psnr(made, truth, region) / 10,
}
METRICS: dict[str, Likeness] = {"dice": dice, "jaccard": jaccard, "cosine": cosine, "ssim": ssim, "psnr": psnr}


def _mean(values: Tensor, region: Tensor) -> Tensor:
    """Return the mean over a region; 0 where it is empty."""
    total = (values * region).sum((1, 2, 3))
    return total / (region.sum((1, 2, 3)) * values.shape[1]).clamp(min=1)


def _products(made: Tensor, truth: Tensor, region: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    pairs = (made * truth, made * made, truth * truth)
    both, a, b = ((pair * region).sum((1, 2, 3)).clamp(min=LEAST) for pair in pairs)
    return both, a, b


def _blurred(pictures: Tensor) -> Tensor:
    """Return pictures blurred by a Gaussian, channel by channel."""
    channels = pictures.shape[1]
    at = torch.arange(-RADIUS, RADIUS + 1, dtype=pictures.dtype, device=pictures.device)
    bell = torch.exp(-(at**2) / (2 * SPREAD**2))
    bell = (bell / bell.sum()).expand(channels, 1, -1)
    wide = pad(pictures, (RADIUS,) * 4, mode="reflect")
    return conv2d(conv2d(wide, bell[:, :, None], groups=channels), bell[:, :, :, None], groups=channels)

"""Differentiable augmentation (Zhao et al. 2020): the critic sees every picture, real or generated, changed at random.

It then cannot learn few pictures by heart, and because the gradient flows through the change, the generator still
learns to draw unchanged ones. Each function takes pictures in -1…1 and returns as many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Generator, Tensor

SHIFT = 1 / 8  # of the size, at most, in each direction
HOLE = 1 / 2  # of the size: side of the square that is blanked


def colour(pictures: Tensor, rng: Generator | None = None) -> Tensor:
    """Return the pictures with another brightness, saturation and contrast each."""
    brighter, vivid, contrast = _random((3, len(pictures), 1, 1, 1), pictures, rng)
    pictures = pictures + brighter - 0.5
    grey = pictures.mean(1, keepdim=True)
    pictures = grey + (pictures - grey) * (2 * vivid)
    middle = pictures.mean((1, 2, 3), keepdim=True)
    return middle + (pictures - middle) * (contrast + 0.5)


def shift(pictures: Tensor, rng: Generator | None = None) -> Tensor:
    """Return the pictures, each moved by a random number of whole pixels; what comes in is grey."""
    size = pictures.shape[-1]
    most = round(size * SHIFT)
    moves = (_random((2, len(pictures), 1), pictures, rng) * (2 * most + 1)).long() - most
    across = torch.arange(size, device=pictures.device)
    rows, columns = across + moves  # where each pixel comes from
    inside = ((rows >= 0) & (rows < size))[:, :, None] & ((columns >= 0) & (columns < size))[:, None, :]
    number = torch.arange(len(pictures), device=pictures.device)[:, None, None]
    rows, columns = rows.clamp(0, size - 1)[:, :, None], columns.clamp(0, size - 1)[:, None, :]
    moved = pictures.permute(0, 2, 3, 1)[number, rows, columns]
    return (moved * inside[..., None]).permute(0, 3, 1, 2)


def cutout(pictures: Tensor, rng: Generator | None = None) -> Tensor:
    """Return the pictures, each under a grey square half as wide as itself, anywhere; it may reach over the edge."""
    size = pictures.shape[-1]
    middles = _random((2, len(pictures), 1), pictures, rng) * size
    rows, columns = (torch.arange(size, device=pictures.device) + 0.5 - middles).abs() < size * HOLE / 2
    return pictures * ~(rows[:, None, :, None] & columns[:, None, None, :])


AUGMENTS: dict[str, Callable[[Tensor, Generator | None], Tensor]] = {"colour": colour, "shift": shift, "cutout": cutout}


def augmented(pictures: Tensor, names: Iterable[str], rng: Generator | None = None) -> Tensor:
    """Return the pictures after all the named changes, in this order."""
    for name in names:
        pictures = AUGMENTS[name](pictures, rng)
    return pictures.contiguous(memory_format=torch.channels_last)


def _random(shape: tuple[int, ...], like: Tensor, rng: Generator | None) -> Tensor:
    return torch.rand(shape, generator=rng, device=like.device)

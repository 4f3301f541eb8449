"""Gradient penalties: they hold the critic's slope near 1 at points that each paper chooses.

The slope's norm is taken in full precision; the convolutions under it may run in less.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor

Critic = Callable[[Tensor], Tensor]


def none(critic: Critic, real: Tensor, fake: Tensor, rng: Generator | None = None) -> Tensor:
    """Return zero: there is no penalty."""
    return real.new_zeros(())


def dragan(critic: Critic, real: Tensor, fake: Tensor, rng: Generator | None = None) -> Tensor:
    """Return the penalty of Kodali et al. 2017: around the real pictures, as far as half their standard deviation."""
    noise = torch.rand(real.shape, generator=rng, device=real.device, dtype=real.dtype)
    return _slope(critic, _between(real, real + 0.5 * real.std(correction=0) * noise, rng))


def wgan_gp(critic: Critic, real: Tensor, fake: Tensor, rng: Generator | None = None) -> Tensor:
    """Return the penalty of Gulrajani et al. 2017: on the lines between real and fake pictures."""
    return _slope(critic, _between(real, fake, rng))


PENALTIES = {"none": none, "dragan": dragan, "wgan-gp": wgan_gp}


def _between(a: Tensor, b: Tensor, rng: Generator | None) -> Tensor:
    """Return a random point on the line from each picture of `a` to its partner in `b`."""
    share = torch.rand(len(a), 1, 1, 1, generator=rng, device=a.device, dtype=a.dtype)
    return torch.lerp(a, b, share)


def _slope(critic: Critic, points: Tensor) -> Tensor:
    """Return the mean squared distance of the norm of the critic's slope from 1, at some points."""
    points = points.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    norm = gradient.flatten(1).to(torch.promote_types(gradient.dtype, torch.float32)).norm(dim=1)
    return (norm - 1).square().mean()

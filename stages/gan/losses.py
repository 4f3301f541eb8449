"""The adversarial losses, as in their papers: what the critic and the generator minimise, from the critic's scores.

A critic's loss is given in two parts, of the real and of the fake pictures; it minimises their sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import relu, softplus


class Loss(NamedTuple):
    real: Callable[[Tensor], Tensor]  # the critic's, of its scores of real pictures
    fake: Callable[[Tensor], Tensor]  # the critic's, of its scores of fake pictures
    generator: Callable[[Tensor], Tensor]  # the generator's, of the same
    margin: float  # scores above it mean `real`, when the critic is asked as a discriminator


LOSSES = {
    # Goodfellow et al. 2014, with the generator's non-saturating loss; scores are logits.
    "gan": Loss(
        lambda real: softplus(-real).mean(),
        lambda fake: softplus(fake).mean(),
        lambda fake: softplus(-fake).mean(),
        0.0,
    ),
    # Lim and Ye 2017; the first form stops pulling at fakes that score above 1.
    "hinge_v1": Loss(
        lambda real: relu(1 - real).mean(), lambda fake: relu(1 + fake).mean(), lambda fake: relu(1 - fake).mean(), 0.0
    ),
    "hinge_v2": Loss(
        lambda real: relu(1 - real).mean(), lambda fake: relu(1 + fake).mean(), lambda fake: -fake.mean(), 0.0
    ),
    # Mao et al. 2017: real is 1, fake is 0.
    "lsgan": Loss(
        lambda real: (real - 1).square().mean(),
        lambda fake: fake.square().mean(),
        lambda fake: (fake - 1).square().mean(),
        0.5,
    ),
    # Arjovsky et al. 2017: the difference of the means estimates the Wasserstein distance. Scores have no zero of
    # their own; the discriminator's question then only makes sense as "above or below zero".
    "wgan": Loss(lambda real: -real.mean(), lambda fake: fake.mean(), lambda fake: -fake.mean(), 0.0),
}

"""How one generator is trained: what an experiment asks for, within what the scale allows."""

from __future__ import annotations

import math
from dataclasses import dataclass

from stages.settings import Settings


@dataclass(frozen=True)
class GanRecipe:
    """All that decides what a training run ends with, apart from its seed, its pictures and its parent."""

    size: int  # pixels of the square
    dim: int  # channels of the widest pictures' features
    z: int  # length of a latent vector
    loss: str
    penalty: str
    penalty_weight: float
    batch: int
    steps: int  # of the critic
    critic_steps: int  # … for one of the generator
    lr: float
    betas: tuple[float, float]
    epsilon: float
    precision: str  # of the convolutions; norms, losses and the penalty's slope are taken in fp32
    average: float  # decay of the generator's moving average for each of its steps; 0: none
    augment: tuple[str, ...]  # what the critic sees of all pictures
    processes: int  # that share each batch


def recipe_of(params: Settings, experiment: str, images: int) -> GanRecipe:
    """Return how an experiment is trained on so many images: what it asks for, within what the scale allows.

    Epochs of fewer images than a batch are steps of them all.
    """
    asked, scale = params.experiments[experiment], params.now.gan
    batch, steps = min(asked.batch, scale.most_batch), min(asked.steps, scale.most_steps)
    if asked.epochs:
        batch = min(batch, images)
        steps = math.ceil(min(asked.epochs, scale.most_epochs) * images / batch)
    return GanRecipe(
        size=scale.size,
        dim=scale.dim,
        z=scale.z,
        loss=asked.loss,
        penalty=asked.penalty,
        penalty_weight=params.gan.penalty_weight,
        batch=batch,
        steps=steps,
        critic_steps=scale.critic_steps,
        lr=scale.lr,
        betas=params.gan.betas,
        epsilon=params.gan.epsilon,
        precision=scale.precision,
        average=asked.average,
        augment=tuple(asked.augment),
        processes=scale.processes,
    )


def sampled_steps(shares: list[float], steps: int) -> list[int]:
    """Return the steps of the critic after which candidates are drawn: at some shares of a run."""
    return sorted({max(1, round(share * steps)) for share in shares})


def shared(params: Settings) -> dict:
    """Return what is the same in the recipes of all GANs that draw parts of pictures."""
    scale = params.now.gan
    return {
        "penalty_weight": params.gan.penalty_weight,
        "lr": scale.lr,
        "betas": params.gan.betas,
        "epsilon": params.gan.epsilon,
        "precision": scale.precision,
        "augment": (),
        "processes": 1,
    }

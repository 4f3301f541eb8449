"""How a texture is trained: what params.yaml asks for, within what the scale allows."""

from __future__ import annotations

from dataclasses import dataclass

from stages.gan.recipe import GanRecipe, shared
from stages.settings import Settings

DOUBLINGS = 4
CELL = 2**DOUBLINGS  # pixels that one place of the noise becomes, each way


@dataclass(frozen=True, kw_only=True)
class TextureRecipe(GanRecipe):
    """How a texture is trained."""

    metric: float  # weight of the distance between a real picture and its return from the encoder's noise
    mode: float  # … and of the critic's word on that return


def recipe_of(params: Settings, name: str) -> TextureRecipe:
    """Return how a texture is trained: what it asks for, within what the scale allows."""
    asked, scale = params.textures[name], params.now.texture
    return TextureRecipe(
        size=scale.size,
        dim=scale.dim,
        z=noise_length(scale.size, scale.depth),
        batch=min(asked.batch, params.now.gan.most_batch),
        steps=min(asked.steps, scale.most_steps),
        average=asked.average,
        metric=asked.metric,
        mode=asked.mode,
        loss="gan",  # and no penalty, as its paper has it
        penalty="none",
        critic_steps=1,
        **shared(params),
    )


def noise_length(size: int, depth: int) -> int:
    """Return the length of the latent vector of a picture whose noise has `depth` numbers at each place."""
    return depth * (size // CELL + 2) ** 2

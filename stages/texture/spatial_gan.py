"""The spatial GAN's networks, with the metric and mode regulariser (Che et al. 2017) where it is asked for.

An encoder says which noise would draw a real picture; the generator then has to draw it again (metric), and so that
the critic takes it for real (mode). Kinds of real pictures that no noise leads to would cost it both.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import Module
from torch.nn.functional import mse_loss

from stages.gan.gan_pair import GanPair
from stages.gan.networks import Critic, norm_for
from stages.texture.networks import SpatialGenerator
from stages.texture.recipe import TextureRecipe

PATCH = 32  # pixels: the thesis's critic of this size, slid over a larger picture, gives each patch a score of its own


class SpatialGan(GanPair):
    """A pair whose generator also has to draw again, if the regulariser is asked for, what the critic has just seen."""

    recipe: TextureRecipe

    def networks(self) -> tuple[Module, Module]:
        recipe = self.recipe
        generator = SpatialGenerator(recipe.size, recipe.z, recipe.dim, bool(recipe.metric or recipe.mode))
        return generator, Critic(PATCH, recipe.dim, norm_for(recipe.penalty))

    def critic_step(self, real: Tensor) -> Tensor:
        self.real = real
        return super().critic_step(real)

    def generator_loss(self) -> Tensor:
        assert isinstance(self.generator, SpatialGenerator)
        loss = super().generator_loss()
        if self.generator.encoder is None:
            return loss
        with self._autocast():
            again = self.generator(self.generator.encode(self.real)).float()
            scores = self.critic(again).float()
        return loss + self.recipe.metric * mse_loss(again, self.real) + self.recipe.mode * self.loss.generator(scores)

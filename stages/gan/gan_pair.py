"""The generator and the critic with their optimisers, and the two steps of their training.

The steps run where the networks are and never wait for the device: what they report stays there as tensors.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor
from torch.nn import Module
from torch.optim import Optimizer

from stages import gpu
from stages.gan.augment import augmented
from stages.gan.losses import LOSSES
from stages.gan.networks import Critic, Generator, norm_for
from stages.gan.penalties import PENALTIES
from stages.gan.recipe import GanRecipe
from stages.training import distributed, state
from stages.training.distributed import WorkerGroup

# What the steps report, in this order.
CRITIC_REPORT: tuple[str, ...] = ("critic_loss", "wasserstein", "penalty", "accuracy_real", "accuracy_fake")
GENERATOR_REPORT: tuple[str, ...] = ("generator_loss",)


class GanPair:
    """Both networks in training. The same seed on the same device gives the same weights."""

    channels = 3  # of the pictures

    def __init__(self, recipe: GanRecipe, seed: int, workers: WorkerGroup):
        self.recipe, self.workers, self.device = recipe, workers, workers.device
        self.bf16 = recipe.precision == "bf16" and gpu.multiplies_in_bf16(workers.device)
        self.batch = recipe.batch // workers.size  # of this process
        self.rng = torch.Generator(self.device).manual_seed(seed + (workers.rank << 32))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            generator, critic = self.networks()
        self.generator = workers.joint_norms(distributed.placed(generator, self.device))
        self.critic = workers.joint_norms(distributed.placed(critic, self.device))
        self.average = copy.deepcopy(self.generator).requires_grad_(False) if recipe.average else None
        self.generator_adam, self.critic_adam = self._adam(self.generator), self._adam(self.critic)
        self.loss, self.penalty = LOSSES[recipe.loss], PENALTIES[recipe.penalty]

    def networks(self) -> tuple[Module, Module]:
        """Return generator and critic as they begin: the thesis's; a subclass may return others."""
        recipe = self.recipe
        generator = Generator(recipe.size, recipe.z, recipe.dim, self.channels)
        return generator, Critic(recipe.size, recipe.dim, norm_for(recipe.penalty), self.channels)

    def _adam(self, network: Module) -> torch.optim.Adam:
        recipe = self.recipe
        on_gpu = self.device.type == "cuda"  # there its step count must live on the device to be captured in a graph
        return torch.optim.Adam(
            network.parameters(), recipe.lr, recipe.betas, recipe.epsilon, fused=True, capturable=on_gpu
        )

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)

    def latents(self, count: int) -> Tensor:
        return torch.randn(count, self.recipe.z, generator=self.rng, device=self.device)

    def critic_step(self, real: Tensor) -> Tensor:
        """Train the critic one step on a batch of real pictures in -1…1; return the values of CRITIC_REPORT."""
        with torch.no_grad(), self._autocast():
            fake = augmented(self.generator(self.latents(len(real))).float(), self.recipe.augment, self.rng)
            real = augmented(real, self.recipe.augment, self.rng)
        with self._autocast():
            if self.recipe.penalty == "none":  # then batch norm, and each side keeps statistics of its own
                scores_real, scores_fake = self.critic(real).float(), self.critic(fake).float()
            else:
                scores_real, scores_fake = self.critic(torch.cat([real, fake])).float().chunk(2)
            penalty = self.penalty(self.critic, real, fake, self.rng)
        loss = self.loss.real(scores_real) + self.loss.fake(scores_fake)
        self.critic_adam.zero_grad()
        (loss + self.recipe.penalty_weight * penalty).backward()
        self.workers.average(self.critic.parameters())
        self.critic_adam.step()
        with torch.no_grad():
            right_real, right_fake = scores_real > self.loss.margin, scores_fake <= self.loss.margin
            means = (
                scores_real.mean() - scores_fake.mean(),
                penalty,
                right_real.float().mean(),
                right_fake.float().mean(),
            )
            return torch.stack([loss, *means])

    def generator_step(self) -> Tensor:
        """Train the generator one step; return the values of GENERATOR_REPORT."""
        self.critic.requires_grad_(False)
        loss = self.generator_loss()
        self.generator_adam.zero_grad()
        loss.backward()
        self.workers.average(self.generator.parameters())
        self.generator_adam.step()
        self.critic.requires_grad_(True)
        if self.average is not None:
            self._follow(self.average)
        return loss.detach()[None]

    def generator_loss(self) -> Tensor:
        """Return what the generator minimises, on a batch of its own."""
        with self._autocast():
            fake = self.generator(self.latents(self.batch)).float()
            scores = self.critic(augmented(fake, self.recipe.augment, self.rng)).float()
        return self.loss.generator(scores)

    @torch.no_grad()
    def _follow(self, average: Module) -> None:
        """Move the moving average towards the generator; statistics of its norms are taken as they are."""
        for mine, theirs in zip(average.parameters(), self.generator.parameters(), strict=True):
            mine.lerp_(theirs, 1 - self.recipe.average)
        for mine, theirs in zip(average.buffers(), self.generator.buffers(), strict=True):
            mine.copy_(theirs)

    @property
    def inference_generator(self) -> Module:
        """Return the network that draws what is kept: the generator's moving average where there is one."""
        return self.generator if self.average is None else self.average

    @torch.no_grad()
    def draw(self, latents: Tensor) -> Tensor:
        """Return the pictures of some latent vectors, in -1…1, drawn in inference mode."""
        self.inference_generator.eval()
        pictures = self.inference_generator(latents.to(self.device))
        self.inference_generator.train()
        return pictures

    def _networks(self) -> dict[str, Module]:
        named = {"generator": self.generator, "critic": self.critic, "average": self.average}
        return {name: network for name, network in named.items() if network is not None}

    def _optimizers(self) -> dict[str, Optimizer]:
        return {"generator_adam": self.generator_adam, "critic_adam": self.critic_adam}

    def state(self) -> dict[str, Tensor]:
        """Return all that decides how training goes on, as named tensors; each process has an `rng` of its own."""
        everybody = {f"rng.{rank}": rng for rank, rng in enumerate(self.workers.gather(self.rng.get_state()))}
        return state.flat(self._networks(), self._optimizers()) | everybody

    def restore(self, found: dict[str, Tensor]) -> None:
        """Go on from a state that `state` has returned."""
        state.restore(found, self._networks(), self._optimizers())
        self.rng.set_state(found[f"rng.{self.workers.rank}"])

    @torch.no_grad()
    def rewind(self, found: dict[str, Tensor]) -> None:
        """Go back to a state, in the memory where the tensors lie: what was recorded keeps pointing at them."""
        rng = f"rng.{self.workers.rank}"
        for name, value in self.state().items():
            if not name.startswith("rng."):
                value.copy_(found[name]) if name in found else value.zero_()  # moments that were not there yet
        self.rng.set_state(found[rng])

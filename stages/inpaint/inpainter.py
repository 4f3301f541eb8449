"""A network that learns to fill holes, its critics where it has any, and their optimisers.

Every step hides a part of what was seen, and asks for it back. The critics of a GAN compare completed pictures with
real ones. Where real pictures are never complete (AmbientGAN), they compare measurements: a completed picture is
measured again, as if by the same camera, before a critic sees it. One critic looks at the whole, one at the
neighbourhood of what was completed (Iizuka et al. 2017).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import add

import torch
from torch import Tensor, nn
from torch.nn import Module
from torch.optim import SGD, Adagrad, Adam, Optimizer

from stages.gan.losses import LOSSES as ADVERSARIAL_LOSSES
from stages.gan.networks import Critic
from stages.inpaint.networks import completed, marked, network
from stages.inpaint.recipe import InpaintRecipe
from stages.inpaint.similarity import LOSSES
from stages.training import distributed, state

# With Keras's numbers, in which the tuning of dropout and optimiser was done that this repeats.
OPTIMIZERS = {
    "adam": lambda of: Adam(of, 1e-3, eps=1e-7),
    "sgd": lambda of: SGD(of, 1e-2),
    "adagrad": lambda of: Adagrad(of, 1e-3, initial_accumulator_value=0.1, eps=1e-7),
}
REPORT = ("loss", "critic_loss", "adversarial")  # of a step; without critics the first alone
ADVERSARIAL = ADVERSARIAL_LOSSES["gan"]
CRITIC_LR, CRITIC_BETAS = 2e-4, (0.5, 0.999)
WEIGHT = 0.01  # of what the critics say, beside the likeness to what was hidden


class Inpainter:
    """All networks in training, with their optimisers. The same seed on the same device learns the same."""

    def __init__(self, recipe: InpaintRecipe, seed: int, device: torch.device):
        self.recipe, self.device = recipe, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.network = network(recipe.network, recipe.dim, recipe.dropout)
            sizes = {"whole": recipe.size, "near": recipe.size // 2}
            self.critics = nn.ModuleDict({name: Critic(sizes[name], recipe.dim) for name in recipe.critics})
        distributed.placed(self.network, device)
        distributed.placed(self.critics, device)
        self.optimizer = OPTIMIZERS[recipe.optimizer](self.network.parameters())
        self.critics_adam = Adam(self.critics.parameters(), CRITIC_LR, CRITIC_BETAS) if self.critics else None
        self.loss = LOSSES[recipe.loss]

    def step(self, pixels: Tensor, seen: Tensor, hidden: Tensor) -> Tensor:
        """Train one step on pictures in -1…1, of which `seen` was ever seen and `hidden` is asked for; return the
        values of REPORT."""
        self.network.train()
        made, loss = self._completed(pixels, seen, hidden)
        loss = loss.mean()
        report, total = [loss.detach()], loss
        if self.critics_adam is not None:
            real = _views(marked(pixels, seen), hidden.roll(1, 0), self.recipe.critics)
            fake = _views(marked(made, seen.roll(1, 0)), hidden, self.recipe.critics)
            seen_fake = {name: view.detach() for name, view in fake.items()}
            report.append(self._critics_step(self.critics_adam, real, seen_fake))
            self.critics.requires_grad_(False)
            adversarial = _sum(ADVERSARIAL.generator(critic(fake[name])) for name, critic in self.critics.items())
            self.critics.requires_grad_(True)
            report.append(adversarial.detach())
            total = loss + WEIGHT * adversarial
        self.optimizer.zero_grad()
        total.backward()
        self.optimizer.step()
        return torch.stack(report)

    def _critics_step(self, adam: Adam, real: dict[str, Tensor], fake: dict[str, Tensor]) -> Tensor:
        loss = _sum(
            ADVERSARIAL.real(critic(real[name])) + ADVERSARIAL.fake(critic(fake[name]))
            for name, critic in self.critics.items()
        )
        adam.zero_grad()
        loss.backward()
        adam.step()
        return loss.detach()

    def _completed(self, pixels: Tensor, seen: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Return the pictures with all holes filled, and each one's loss: over what is hidden now and was once seen."""
        known = seen & ~hidden
        made = completed(self.network, pixels, known)
        comparable = torch.where(seen, made, pixels)  # nobody knows what never was seen
        return made, self.loss((comparable + 1) / 2, (pixels + 1) / 2, seen & hidden)

    @torch.no_grad()
    def score(self, pixels: Tensor, seen: Tensor, hidden: Tensor) -> Tensor:
        """Return the loss of each picture (n), in inference mode."""
        self.network.eval()
        return self._completed(pixels, seen, hidden)[1]

    def state(self) -> dict[str, Tensor]:
        """Return all that decides how training goes on, as named tensors."""
        return state.flat(self._networks(), self._optimizers())

    def restore(self, found: dict[str, Tensor]) -> None:
        """Go on from a state that `state` has returned."""
        state.restore(found, self._networks(), self._optimizers())

    def _networks(self) -> dict[str, Module]:
        return {"network": self.network, "critics": self.critics}

    def _optimizers(self) -> dict[str, Optimizer]:
        named = {"optimizer": self.optimizer, "critics_adam": self.critics_adam}
        return {name: optimizer for name, optimizer in named.items() if optimizer is not None}


def _sum(losses: Iterable[Tensor]) -> Tensor:
    return reduce(add, losses)


def _views(pictures: Tensor, holes: Tensor, critics: tuple[str, ...]) -> dict[str, Tensor]:
    """Return the part of the pictures that each critic looks at."""
    views = {"whole": lambda: pictures, "near": lambda: neighbourhoods(pictures, holes)}
    return {name: views[name]().contiguous(memory_format=torch.channels_last) for name in critics}


def neighbourhoods(pictures: Tensor, holes: Tensor) -> Tensor:
    """Return the square of each picture, half as wide, around the middle of its hole, as far as the frame allows."""
    size = pictures.shape[-1]
    across = torch.arange(size, device=pictures.device)
    rows, columns = (
        ((holes.sum(axis) * across).sum((1, 2)) / holes.sum((1, 2, 3)).clamp(min=1)).round().long() for axis in (3, 2)
    )
    part = torch.arange(size // 2, device=pictures.device)
    rows, columns = ((middle - size // 4).clamp(0, size // 2)[:, None] + part for middle in (rows, columns))
    number = torch.arange(len(pictures), device=pictures.device)[:, None, None]
    return pictures.permute(0, 2, 3, 1)[number, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)

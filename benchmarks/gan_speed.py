"""Our training step against a plain eager one in full precision, as public PyTorch implementations write it.

Both play the same game with the same networks, in turns in one run: five steps of the critic, one of the generator.
On a CPU at the size of scale demo and with the one thread that trainings have there, on a GPU at 256 px with batches of
8 and 64 (the thesis's).
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from benchmarks.conditions import record
from stages import settings
from stages.gan.cuda_graph import EagerSteps, fastest_steps
from stages.gan.gan_pair import GanPair
from stages.gan.networks import Critic, Generator, from_pixels
from stages.gan.penalties import wgan_gp
from stages.gan.recipe import GanRecipe, recipe_of
from stages.training import distributed
from stages.training.distributed import WorkerGroup

TURNS = 7  # measurements of each; the median counts
CRITIC_STEPS = 5


class Plain:
    """WGAN-GP as it is usually written: full precision, one pass for each kind of picture, the default Adam."""

    def __init__(self, recipe: GanRecipe, real: torch.Tensor):
        self.recipe, self.real = recipe, real.contiguous()
        self.generator = Generator(recipe.size, recipe.z, recipe.dim).to(real.device)
        self.critic = Critic(recipe.size, recipe.dim).to(real.device)
        self.generator_adam = torch.optim.Adam(self.generator.parameters(), recipe.lr, recipe.betas)
        self.critic_adam = torch.optim.Adam(self.critic.parameters(), recipe.lr, recipe.betas)

    def critic_step(self, picked: torch.Tensor) -> float:
        real = self.real[picked]
        noise = torch.randn(len(real), self.recipe.z, device=real.device)
        fake = self.generator(noise).detach()
        share = torch.rand(len(real), 1, 1, 1, device=real.device)
        between = (share * real + (1 - share) * fake).requires_grad_()
        scores = self.critic(between)
        (slope,) = torch.autograd.grad(scores, between, torch.ones_like(scores), create_graph=True)
        penalty = ((slope.flatten(1).norm(2, dim=1) - 1) ** 2).mean()
        loss = self.critic(fake).mean() - self.critic(real).mean() + self.recipe.penalty_weight * penalty
        self.critic_adam.zero_grad()
        loss.backward()
        self.critic_adam.step()
        return loss.item()

    def generator_step(self) -> float:
        noise = torch.randn(self.recipe.batch, self.recipe.z, device=self.real.device)
        loss = -self.critic(self.generator(noise)).mean()
        self.generator_adam.zero_grad()
        loss.backward()
        self.generator_adam.step()
        return loss.item()


class Operations(TorchDispatchMode):
    """Counts multiplications and additions of convolutions, derivatives of derivatives too.

    torch's own FlopCounterMode also follows modules, and its hooks do not go together with `torch.autograd.grad`.
    """

    total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if count := flop_registry.get(func._overloadpacket):
            self.total += count(*args, **(kwargs or {}), out_val=out)
        return out


def main() -> None:
    distributed.run(1, compare)


def compare(alone: WorkerGroup) -> None:
    """Measure both loops as trainings run: by `alone`, which `distributed` has set up."""
    params = settings.load()
    on_gpu = alone.device.type == "cuda"
    scale = "thesis" if on_gpu else "demo"
    asked = recipe_of(msgspec.structs.replace(params, scale=scale), "wgan_ten", images=10)
    figures: dict[str, object] = {"device": torch.cuda.get_device_name() if on_gpu else "cpu"}
    figures["threads"] = torch.get_num_threads()
    peak = _peak(alone.device)
    figures["bf16_matrix_product_peak_tflops"] = round(peak / 1e12, 3)
    for batch in (8, 64) if on_gpu else (8,):
        figures |= measure(replace(asked, batch=batch, critic_steps=CRITIC_STEPS), alone, peak)
    record(f"gan_speed_{alone.device.type}", figures, ("torch",))


def measure(recipe: GanRecipe, alone: WorkerGroup, peak: float) -> dict[str, object]:
    """Both loops in turns at one batch size."""
    pixels = torch.randint(0, 256, (10, recipe.size, recipe.size, 3), dtype=torch.uint8).numpy()
    real = from_pixels(pixels).to(alone.device, memory_format=torch.channels_last)
    picked = torch.arange(recipe.batch, device=alone.device) % len(real)
    pair = GanPair(recipe, 0, alone)
    plain, ours = Plain(recipe, real), fastest_steps(pair, real)
    seconds: dict[str, list[float]] = {"plain": [], "ours": []}
    rounds = max(1, int(1 / _seconds(lambda: _round(plain, picked), 2)))  # about a second each
    for _ in range(TURNS):
        for name, loop in (("plain", plain), ("ours", ours)):
            seconds[name].append(_seconds(lambda loop=loop: _round(loop, picked), rounds))
    plain_s, ours_s = (sorted(of)[TURNS // 2] for of in seconds.values())
    with Operations() as counter:
        _round(EagerSteps(GanPair(recipe, 0, alone), real), picked)
    images = CRITIC_STEPS * recipe.batch
    exact, full, half, other = (
        _penalty_gradient(pair, real, picked, seed, precision)
        for seed, precision in ((0, torch.float64), (0, torch.float32), (0, torch.bfloat16), (1, torch.float64))
    )
    return {
        f"batch_{recipe.batch}_{name}": value
        for name, value in {
            "size": f"{recipe.size} px, dim {recipe.dim}",
            "plain_images_per_second": round(images / plain_s, 1),
            "ours_images_per_second": round(images / ours_s, 1),
            "times_faster": round(plain_s / ours_s, 2),
            "share_of_peak": round(counter.total / ours_s / peak, 3),
            "minutes_for_50000_steps": round(50_000 / CRITIC_STEPS * ours_s / 60, 1),
            # Relative errors of the penalty's gradient, beside how far two batches' gradients are apart anyway.
            "penalty_gradient_error_fp32": _apart(full, exact),
            "penalty_gradient_error_bf16": _apart(half, exact),
            "penalty_gradient_apart_between_batches": _apart(other, exact),
        }.items()
    }


def _penalty_gradient(
    pair: GanPair, real: torch.Tensor, picked: torch.Tensor, seed: int, precision: torch.dtype
) -> torch.Tensor:
    """The derivative of the penalty by the critic's weights, with its convolutions in a precision."""
    rng = torch.Generator(real.device).manual_seed(seed)
    critic = copy.deepcopy(pair.critic).to(torch.promote_types(precision, torch.float32))
    wide = next(critic.parameters()).dtype
    noise = torch.randn(len(picked), pair.recipe.z, generator=rng, device=real.device)
    fake, share = pair.draw(noise).to(wide), torch.rand(len(picked), 1, 1, 1, generator=rng, device=real.device)
    between = torch.lerp(real[picked].to(wide), fake, share.to(wide))
    with torch.autocast(real.device.type, torch.bfloat16, enabled=precision == torch.bfloat16):
        wgan_gp(critic, between, between).backward()
    return torch.cat([p.grad.double().flatten() for p in critic.parameters() if p.grad is not None])


def _apart(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(f"{float((a - b).norm() / b.norm()):.2g}")


def _round(loop: Any, picked: torch.Tensor) -> None:
    for _ in range(CRITIC_STEPS):
        loop.critic_step(picked)
    loop.generator_step()


def _seconds(work: Callable[[], object], times: int) -> float:
    """Return the seconds of one call, on average over so many."""
    work()
    _wait()
    started = time.perf_counter()
    for _ in range(times):
        work()
    _wait()
    return (time.perf_counter() - started) / times


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _peak(on: torch.device) -> float:
    """Operations a second of a large bf16 matrix product, the best of some."""
    size = 8192 if on.type == "cuda" else 2048
    a = torch.randn(size, size, device=on, dtype=torch.bfloat16)
    return max(2 * size**3 / _seconds(lambda: a @ a, 3) for _ in range(5))


if __name__ == "__main__":
    main()

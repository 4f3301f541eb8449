"""Which pictures make up each batch: every picture once before any comes again, whatever the batch size.

The thesis dropped incomplete batches: of ten pictures, eight a time. Here a batch may reach into the next round, so
all pictures are seen equally often, and a batch may be larger than the subset.
"""

from __future__ import annotations

import torch
from torch import Tensor


class BatchSampler:
    """An endless shuffled stream of picture numbers."""

    def __init__(self, count: int, seed: int):
        self.count = count
        self.rng = torch.Generator().manual_seed(seed)
        self.left = torch.empty(0, dtype=torch.int64)

    def deal(self, steps: int, batch: int) -> Tensor:
        """Return the picture numbers (steps, batch) of the next steps."""
        rounds = -(-(steps * batch - len(self.left)) // self.count)
        shuffled = [torch.randperm(self.count, generator=self.rng) for _ in range(rounds)]
        stream = torch.cat([self.left, *shuffled])
        self.left = stream[steps * batch :].clone()
        return stream[: steps * batch].view(steps, batch)

    def state(self) -> dict[str, Tensor]:
        return {"sampler.left": self.left, "sampler.rng": self.rng.get_state()}

    def restore(self, state: dict[str, Tensor]) -> None:
        self.left = state["sampler.left"]
        self.rng.set_state(state["sampler.rng"])

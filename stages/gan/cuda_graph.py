"""The two training steps on pictures that live on the device: one by one, or, on a GPU, recorded once and replayed.

With ten pictures and a batch of eight a GPU spends most of its time waiting for the next of some hundreds of small
kernels. A CUDA graph launches a whole step at once. The eager steps are the reference that the recorded ones
are tested against.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from stages.gan.gan_pair import GanPair

WARM = 3  # rounds before recording, so that libraries have chosen their kernels


class EagerSteps:
    """The steps of a pair of networks, each run as it is written."""

    def __init__(self, pair: GanPair, real: Tensor):
        self.pair, self.real = pair, real

    def critic_step(self, picked: Tensor) -> Tensor:
        return self.pair.critic_step(self.real[picked])

    def generator_step(self) -> Tensor:
        return self.pair.generator_step()


class RecordedSteps:
    """The steps of a pair of networks as CUDA graphs. Recording changes nothing: the pair is put back."""

    def __init__(self, pair: GanPair, real: Tensor):
        torch.backends.cudnn.benchmark = True
        self.picked = torch.zeros(pair.batch, dtype=torch.int64, device=real.device)
        before = {name: value.clone() for name, value in pair.state().items()}
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM):
                pair.critic_step(real[self.picked])
                pair.generator_step()
        torch.cuda.current_stream().wait_stream(aside)
        self._critic, self._critic_report = _record(pair, lambda: pair.critic_step(real[self.picked]))
        self._generator, self._generator_report = _record(pair, pair.generator_step)
        pair.rewind(before)

    def critic_step(self, picked: Tensor) -> Tensor:
        self.picked.copy_(picked)
        self._critic.replay()
        return self._critic_report

    def generator_step(self) -> Tensor:
        self._generator.replay()
        return self._generator_report


def _record(pair: GanPair, step: Callable[[], Tensor]) -> tuple[torch.cuda.CUDAGraph, Tensor]:
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(pair.rng)
    # Where several processes exchange gradients, NCCL's own thread goes on asking the GPU while this one records.
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        report = step()
    return graph, report


def fastest_steps(pair: GanPair, real: Tensor) -> EagerSteps | RecordedSteps:
    """Return the fastest steps there are here."""
    return RecordedSteps(pair, real) if pair.device.type == "cuda" else EagerSteps(pair, real)

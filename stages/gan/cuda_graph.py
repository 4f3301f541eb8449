"""The two steps of the game on pictures that live on the device: one by one, or, on a GPU, recorded once and replayed.

With ten pictures and a batch of eight a GPU spends most of its time waiting for the next of some hundreds of small
kernels. A CUDA graph launches a whole step at once. The eager game is the reference that the recorded one is tested
against.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from stages.gan.gan_pair import GanPair

WARM = 3  # rounds before recording, so that libraries have chosen their kernels


class Eager:
    """Every step runs as it is written."""

    def __init__(self, players: GanPair, real: Tensor):
        self.players, self.real = players, real

    def critic_step(self, picked: Tensor) -> Tensor:
        return self.players.critic_step(self.real[picked])

    def generator_step(self) -> Tensor:
        return self.players.generator_step()


class Recorded:
    """Both steps as CUDA graphs. Recording changes nothing: the players are put back to where they were."""

    def __init__(self, players: GanPair, real: Tensor):
        torch.backends.cudnn.benchmark = True
        self.picked = torch.zeros(players.batch, dtype=torch.int64, device=real.device)
        before = {name: value.clone() for name, value in players.state().items()}
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM):
                players.critic_step(real[self.picked])
                players.generator_step()
        torch.cuda.current_stream().wait_stream(aside)
        self._critic, self._critic_report = _record(players, lambda: players.critic_step(real[self.picked]))
        self._generator, self._generator_report = _record(players, players.generator_step)
        players.rewind(before)

    def critic_step(self, picked: Tensor) -> Tensor:
        self.picked.copy_(picked)
        self._critic.replay()
        return self._critic_report

    def generator_step(self) -> Tensor:
        self._generator.replay()
        return self._generator_report


def _record(players: GanPair, step: Callable[[], Tensor]) -> tuple[torch.cuda.CUDAGraph, Tensor]:
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(players.rng)
    with torch.cuda.graph(graph):
        report = step()
    return graph, report


def game(players: GanPair, real: Tensor) -> Eager | Recorded:
    """The fastest way to play here. Several processes play eagerly: their exchange is not recorded."""
    recorded = players.device.type == "cuda" and players.team.size == 1
    return Recorded(players, real) if recorded else Eager(players, real)

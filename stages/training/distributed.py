"""One training run by one process or by several, each with its own device and an equal share of each batch.

Gradients are averaged after the backward pass by torch.distributed. DistributedDataParallel is of no use here: it
averages in hooks of one backward pass and does not go together with `torch.autograd.grad`, which the penalty needs.
All parts of the loss are means over pictures, so the mean of the shares' gradients is the gradient of the whole batch.
Batch norm takes its statistics from each share alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, distributed, multiprocessing
from torch.nn import Module, Parameter

from stages import gpu
from stages.problem import Problem

T = TypeVar("T")
M = TypeVar("M", bound=Module)
PATIENCE = timedelta(minutes=10)  # until a silent partner is given up


@dataclass(frozen=True)
class WorkerGroup:
    """This process's place among those that train together."""

    device: torch.device
    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Return whether this process is the one that writes, reports and draws."""
        return self.rank == 0

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of a value over the workers."""
        if self.size > 1:
            distributed.all_reduce(value)
            value /= self.size
        return value

    def average(self, parameters: Iterable[Parameter]) -> None:
        """Replace the parameters' gradients by their means over the workers, in one exchange."""
        if self.size == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = self.mean(torch.cat([gradient.flatten() for gradient in gradients]))
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))

    def gather(self, value: Tensor) -> list[Tensor]:
        """Return everybody's value, in order of rank."""
        if self.size == 1:
            return [value]
        everybody: list = [None] * self.size
        distributed.all_gather_object(everybody, value)
        return everybody


def placed(network: M, device: torch.device) -> M:
    """Return a network on a device, its weights laid out as convolutions there work on them fastest."""
    network.to(device)
    return network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] (its stubs lack the key)


def run(size: int, work: Callable[[WorkerGroup], T]) -> T:
    """Call `work` in `size` processes, of which this is the first, and return what it returns here.

    Without a GPU each process keeps to one thread: with more, sums come out other in their last bits, and the same seed
    ends with other weights on a machine with other cores. Little is lost: two runs beside each other take the time of
    one that has two threads.
    """
    if not gpu.count():
        torch.set_num_threads(1)
    if size == 1:
        return work(WorkerGroup(gpu.device()))
    if 0 < gpu.count() < size:
        raise Problem(f"gan.processes: {size} are wanted, each with a GPU, but this run may use {gpu.count()}")
    spawner = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        meeting = Path(folder) / "meeting"
        others = [spawner.Process(target=_join, args=(meeting, k, size, work), daemon=True) for k in range(1, size)]
        for other in others:
            other.start()
        try:
            result = _join(meeting, 0, size, work)
            assert result is not None  # only the others may have none
            for other in others:
                other.join()
            return result
        finally:
            for other in others:
                other.kill()


def _join(meeting: Path, rank: int, size: int, work: Callable[[WorkerGroup], T]) -> T | None:
    backend = "nccl" if gpu.count() else "gloo"
    if gpu.count():
        torch.cuda.set_device(rank)
    else:
        torch.set_num_threads(1)
    distributed.init_process_group(backend, f"file://{meeting}", PATIENCE, world_size=size, rank=rank)
    try:
        return work(WorkerGroup(gpu.device(rank), rank, size))
    except Problem:
        if rank == 0:
            raise
        return None  # the first process has the same and says it
    finally:
        distributed.destroy_process_group()

"""One training run by one process or by several, each with its own device and an equal share of each batch.

Gradients are averaged after the backward pass by torch.distributed. DistributedDataParallel is of no use here: it
averages in hooks of one backward pass and does not go together with `torch.autograd.grad`, which the penalty needs.
All parts of the loss are means over pictures, so the mean of the shares' gradients is the gradient of the whole batch.
Batch norm takes its statistics from all shares.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, multiprocessing
from torch.nn import BatchNorm2d, Module, Parameter

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

    def joint_norms(self, network: M) -> M:
        """Return a network whose batch norms see the whole batch, of which each worker has a share."""
        for module in network.modules() if self.size > 1 else ():
            if isinstance(module, BatchNorm2d):
                module.__class__ = JointBatchNorm  # with the weights and statistics that it has
        return network

    def gather(self, value: Tensor) -> list[Tensor]:
        """Return everybody's value, in order of rank."""
        if self.size == 1:
            return [value]
        everybody: list = [None] * self.size
        distributed.all_gather_object(everybody, value)
        return everybody


class JointBatchNorm(BatchNorm2d):
    """Batch norm over everybody's equal share of a batch. SyncBatchNorm is its like on GPUs alone."""

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        full = input.float()
        var, mean = torch.var_mean(full, (0, 2, 3), correction=0)
        inside, mean, square = _everybodys_mean(torch.stack([var, mean, mean.square()]))
        var = inside + square - mean.square()
        count = distributed.get_world_size() * full.numel() // full.shape[1]
        self._follow(mean.detach(), var.detach() * (count / (count - 1)))
        scale = self.weight * (var + self.eps).rsqrt()
        return torch.addcmul((self.bias - mean * scale)[:, None, None], full, scale[:, None, None]).to(input.dtype)

    def _follow(self, mean: Tensor, var: Tensor) -> None:
        """Move the statistics for inference towards a batch's; the networks' norms have all of these."""
        assert self.running_mean is not None and self.running_var is not None
        assert self.momentum is not None and self.num_batches_tracked is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(var, self.momentum)
        self.num_batches_tracked.add_(1)


class _Mean(torch.autograd.Function):
    """The mean over the workers, and, backwards, that of their gradients."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        value = value.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(value)
        return value / distributed.get_world_size()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _everybodys_mean(*gradients)


def _everybodys_mean(value: Tensor) -> Tensor:
    mean = _Mean.apply(value)
    assert isinstance(mean, Tensor)
    return mean


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

"""CUDA graphs without a GPU: operations are recorded as they are dispatched, and replayed in the memory they lay in.

As on a GPU, what Python decided while recording stays as it was, and nothing may wait for the device: reading a number
fails. Operations are computed while they are recorded, which a GPU does not do: whoever records has to rewind anyway.
"""

from __future__ import annotations

import contextlib

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

WAITS = (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default)


class Graph(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls = []

    def register_generator_state(self, rng: torch.Generator) -> None:
        """Do nothing: a CPU's generator goes on by itself."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func not in WAITS, f"{func} waits for the device"
        made = func(*args, **(kwargs or {}))
        self.calls.append((func, args, kwargs or {}, made))
        return made

    @torch.no_grad()
    def replay(self) -> None:
        for func, args, kwargs, made in self.calls:
            for place, value in zip(tree_leaves(made), tree_leaves(func(*args, **kwargs)), strict=True):
                if isinstance(place, torch.Tensor) and place.data_ptr() != value.data_ptr():
                    place.copy_(value)


class Stream:
    def wait_stream(self, other: object) -> None:
        """Do nothing: on a CPU one thing comes after the other."""


def put_in(patch: pytest.MonkeyPatch) -> None:
    """Put these in the place of torch.cuda's."""
    patch.setattr(torch.cuda, "CUDAGraph", Graph)
    patch.setattr(torch.cuda, "graph", lambda graph, **_: graph)
    patch.setattr(torch.cuda, "Stream", Stream)
    patch.setattr(torch.cuda, "current_stream", Stream)
    patch.setattr(torch.cuda, "stream", contextlib.nullcontext)

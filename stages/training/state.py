"""Networks and their optimisers as one flat dict of named tensors, which is what a checkpoint holds."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import Module
from torch.optim import Optimizer


def flat(networks: dict[str, Module], optimizers: dict[str, Optimizer]) -> dict[str, Tensor]:
    """Return all weights, statistics and moments, named `<network>.<key>` and `<optimizer>.<number>.<key>`."""
    found = {f"{name}.{key}": value for name, of in networks.items() for key, value in of.state_dict().items()}
    for name, optimizer in optimizers.items():
        for number, entry in optimizer.state_dict()["state"].items():
            found |= {f"{name}.{number}.{key}": value for key, value in entry.items() if isinstance(value, Tensor)}
    return found


def restore(state: dict[str, Tensor], networks: dict[str, Module], optimizers: dict[str, Optimizer]) -> None:
    """Put networks and optimisers to where `flat` was taken."""
    for name, network in networks.items():
        network.load_state_dict(under(name, state))
    for name, optimizer in optimizers.items():
        entries: dict[int, dict[str, Tensor]] = {}
        parameters = optimizer.param_groups[0]["params"]
        for key, value in under(name, state).items():
            number, _, field = key.partition(".")
            if value.ndim:  # a fused optimiser walks through memory: moments must lie as their weights do
                value = torch.empty_like(parameters[int(number)]).copy_(value)
            entries.setdefault(int(number), {})[field] = value
        optimizer.load_state_dict({"state": entries, "param_groups": optimizer.state_dict()["param_groups"]})


def under(name: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the part of a state that belongs to a name, without it."""
    return {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}

"""A finished training run, as its folder models/inpaint/<name> tells it."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from stages import files
from stages.inpaint.networks import network
from stages.problem import Problem

NETWORK = "network.safetensors"  # the weights that did best on held-out images
FINAL = "final.safetensors"  # all that is needed to continue the run as another
FACTS = "run.json"


def facts(folder: Path) -> dict:
    path = folder / FACTS
    if not path.exists():
        raise Problem(f"{path}: no such file; has this network been trained?")
    return files.read_json(path)


def state(folder: Path) -> dict[str, Tensor]:
    """Where the run ended: networks and optimisers."""
    return _tensors(folder / FINAL)


def trained(folder: Path) -> nn.Module:
    """The network, ready to fill holes."""
    recipe = facts(folder)["recipe"]
    made = network(recipe["network"], recipe["dim"], recipe["dropout"])
    made.load_state_dict(_tensors(folder / NETWORK))
    return made.eval().requires_grad_(False)


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except FileNotFoundError:
        raise Problem(f"{path}: no such file; has this network been trained?") from None
    except SafetensorError as error:
        raise Problem(f"{path}: these are no whole weights ({error}); train the network again") from None

"""A finished training run, as its folder models/gan/<experiment> tells it."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from stages import files
from stages.gan.networks import Generator
from stages.problem import Problem

FINAL = "final.safetensors"  # all that is needed to continue the run as another experiment
FACTS = "run.json"


def generator_name(step: int) -> str:
    """The file of the generator as it was after `step` steps of the critic."""
    return f"step_{step:09}.safetensors"


def facts(folder: Path) -> dict:
    path = folder / FACTS
    if not path.exists():
        raise Problem(f"{path}: no such file; has this experiment been trained?")
    return files.read_json(path)


def state(folder: Path) -> dict[str, Tensor]:
    """Where the run ended: both networks, both optimisers."""
    return _tensors(folder / FINAL)


def generator(folder: Path, step: int) -> Generator:
    """The generator after a step that was kept, ready to draw."""
    recipe = facts(folder)["recipe"]
    network = Generator(recipe["size"], recipe["z"], recipe["dim"])
    network.load_state_dict(_tensors(folder / generator_name(step)))
    return network.eval().requires_grad_(False)


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except FileNotFoundError:
        raise Problem(f"{path}: no such file; has this experiment been trained?") from None
    except SafetensorError as error:
        raise Problem(f"{path}: these are no whole weights ({error}); train the experiment again") from None

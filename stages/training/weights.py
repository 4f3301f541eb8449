"""Networks' weights on disk, in safetensors: nothing is ever unpickled."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from stages.problem import Problem

FINAL = "final.safetensors"  # of a run's folder: all that is needed to continue it as another run
GENERATOR = "generator.safetensors"  # … and of one that draws parts of pictures: the network that draws


def packed(tensors: dict[str, Tensor]) -> bytes:
    """Return tensors as the content of a safetensors file. Written by Python, so that a full disk is told as one."""
    return save({name: value.detach().contiguous().cpu() for name, value in tensors.items()})


def load(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file; raise a Problem where there is none, or no whole one."""
    try:
        return load_file(path)
    except FileNotFoundError:
        raise Problem(f"{path}: no such file; has this been trained?") from None
    except SafetensorError as error:
        raise Problem(f"{path}: these are no whole weights ({error}); train it again") from None

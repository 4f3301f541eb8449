"""Everything a run needs to go on as if it had never stopped, in safetensors and JSON: nothing is ever unpickled.

A checkpoint is a folder that appears whole, by rename. The last two are kept; if the newest cannot be read, the one
before it serves, and the reason is given.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from stages import files
from stages.problem import Problem

KEPT = 2
_NAME = re.compile(r"step_(\d+)")


def keep(folder: Path, step: int, tensors: dict[str, Tensor], facts: dict[str, Any]) -> Path:
    """Write the checkpoint of `step`, then drop all but the last two."""
    target = folder / f"step_{step:09}"
    with files.replacing(target) as part:
        (part / "tensors.safetensors").write_bytes(packed(tensors))
        digest = files.digest(part / "tensors.safetensors")
        files.write_json(part / "facts.json", facts | {"step": step, "digest": digest})
    for old in steps(folder)[:-KEPT]:
        shutil.rmtree(folder / f"step_{old:09}")
    return target


def packed(tensors: dict[str, Tensor]) -> bytes:
    """Tensors as a safetensors file. Written by Python, so that a full disk is told as one."""
    return save({name: value.detach().contiguous().cpu() for name, value in tensors.items()})


def steps(folder: Path) -> list[int]:
    """The steps of which there are checkpoints, in order."""
    return sorted(int(found[1]) for path in folder.glob("step_*") if (found := _NAME.fullmatch(path.name)))


def newest(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any], list[str]] | None:
    """The newest whole checkpoint: tensors, facts, and what is wrong with newer ones; None if there never was one."""
    wrong = []
    for step in reversed(steps(folder)):
        path = folder / f"step_{step:09}"
        try:
            facts = json.loads((path / "facts.json").read_bytes())
            if files.digest(path / "tensors.safetensors") != facts["digest"]:
                raise ValueError("its content is not what was written")
            return load_file(path / "tensors.safetensors"), facts, wrong
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            wrong.append(f"{path} cannot be used ({error}); the one before it is")
    if wrong:
        raise Problem(f"{folder}: no checkpoint can be read, and none was touched; start it afresh to go on")
    return None


def clear(folder: Path) -> None:
    """Drop all checkpoints of a folder."""
    for step in steps(folder):
        shutil.rmtree(folder / f"step_{step:09}")

"""Everything a run needs to go on as if it had never stopped, in safetensors and JSON: nothing is ever unpickled.

A checkpoint is a folder that appears whole, by rename. The last two are kept; if the newest cannot be read, the one
before it serves, and the reason is given.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from stages import files
from stages.problem import Problem
from stages.training.weights import packed

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


def steps(folder: Path) -> list[int]:
    """Return the steps of which there are checkpoints, in order."""
    return sorted(int(found[1]) for path in folder.glob("step_*") if (found := _NAME.fullmatch(path.name)))


def newest(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any], list[str]] | None:
    """Return the newest whole checkpoint: tensors, facts, what is wrong with newer ones; None if there is none."""
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


def resume(
    folder: Path, identity: dict[str, Any], fresh: bool = False, leads: bool = True
) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Return tensors and facts of the newest whole checkpoint; None if there never was one.

    Its facts hold the `identity` of the run that left it: all that decides where it ends. With another one a Problem
    says what differs. For a `fresh` start all checkpoints are dropped. What is wrong with newer ones is printed. Of the
    processes that train together only the one that `leads` drops and prints.
    """
    if fresh:
        for step in steps(folder) if leads else ():
            shutil.rmtree(folder / f"step_{step:09}")
        return None
    found = newest(folder)
    if found is None:
        return None
    tensors, facts, wrong = found
    if leads:
        for line in wrong:
            print(f"tenfold: {line}")
    if changes := _changes(facts["identity"], identity):
        raise Problem(
            f"{folder}: this run was begun with other settings ({'; '.join(changes)}); go back to them, or set "
            "TENFOLD_FRESH=1 to start afresh"
        )
    return tensors, facts


def afresh() -> bool:
    """Return whether a person has asked for a new start, whatever checkpoints there are (TENFOLD_FRESH=1)."""
    return os.environ.get("TENFOLD_FRESH") == "1"


def _changes(theirs: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    """Return what differs: settings as `key: theirs, now ours`; of seeds, pictures and parents the name alone."""
    found = []
    for key in dict.fromkeys([*ours, *theirs]):
        was, now = theirs.get(key), ours.get(key)
        if isinstance(was, dict) and isinstance(now, dict):
            names = sorted(was.keys() | now.keys())
            found += [f"{k}: {was.get(k)}, now {now.get(k)}" for k in names if was.get(k) != now.get(k)]
        elif was != now:
            found.append(key)
    return found


def failure(folder: Path, step: int, row: dict[str, float], what: str) -> Problem:
    """Return the Problem of a training that has failed: at which step, in what way, with which losses, and the last
    good checkpoint."""
    losses = ", ".join(f"{name} {value:.4g}" for name, value in row.items() if "accuracy" not in name)
    kept = steps(folder)
    good = f"the last good checkpoint is {folder / f'step_{kept[-1]:09}'}" if kept else "there is no checkpoint yet"
    return Problem(f"step {step}: {what} ({losses}); {good}")

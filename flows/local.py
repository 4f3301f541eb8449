"""One stage, brought up to date in a checkout of this machine."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable
from pathlib import Path

from flows import child, disk, gpu
from stages import provenance, settings

# What DVC tells a person to type after every stage: the flows do it, and it would be most of what there is to read.
HINT = re.compile(
    r"\s*(To track the changes with git, run:|git add .*dvc\.lock|To enable auto staging, run:"
    r"|dvc config core\.autostage true|Use `dvc push` to send|(Generating|Updating) lock file"
    r"|WARNING: '[^']*' is empty\.)"
)


def prepare(checkout: Path, slots: int, least_free_gb: float) -> None:
    """Look for room before a run, and limit how many trainings go at a time."""
    disk.check(checkout, least_free_gb)
    gpu.declare(slots)


def run(name: str, checkout: Path, needs_gpu: bool, slots: int, say: Callable[[str], None], *how: str) -> None:
    """Bring one stage up to date by `dvc repro` (`how`: its further options), and say what it says, without DVC's
    hints. It gets its share of the cores, as threads that wait for a core spin."""

    def tell(line: str) -> None:
        if not HINT.match(line):
            say(line)

    environment = {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": threads(slots)}
    with gpu.some(_processes(name, checkout)) if needs_gpu else contextlib.nullcontext({}) as shown:
        child.run(["dvc", "--wait-for-lock", "repro", *how, name], checkout, tell, **environment, **shown)


def threads(slots: int) -> str:
    """Return how many threads each of so many stages at a time gets, as OpenMP is told, unless it was told before."""
    return os.environ.get("OMP_NUM_THREADS") or str(max(1, provenance.cores() // slots))


def _processes(name: str, checkout: Path) -> int:
    """Return how many processes of a stage compute, each with a GPU of its own."""
    shares_batches = name.partition("@")[0] == "gan"
    return settings.load(checkout / "params.yaml").now.gan.processes if shares_batches else 1

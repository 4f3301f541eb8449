"""A training that is killed again and again, and one that is not."""

from __future__ import annotations

import multiprocessing
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from stages.training import checkpoint

Kept = tuple[dict[str, torch.Tensor], dict[str, Any]]


def ends(train: Callable[[Path], None], place: Path, kills: int) -> tuple[Kept, Kept]:
    """Return the last checkpoints of `train`, a module's own function of a folder, once run whole, and once killed so
    often: by SIGKILL, whatever it is doing after another checkpoint has appeared."""
    spawner = multiprocessing.get_context("forkserver")  # which has torch imported: starts cost little

    def start(name: str):
        process = spawner.Process(target=train, args=(place / name,))
        process.start()
        return process

    def finish(name: str) -> Kept:
        process = start(name)
        process.join(120)
        assert process.exitcode == 0
        found = checkpoint.newest(place / name)
        assert found is not None
        return found[:2]

    whole, chance = finish("whole"), random.Random(0)
    for kill in range(kills):
        before = checkpoint.steps(place / "killed")[-1:]
        process = start("killed")
        deadline = time.monotonic() + 60
        while checkpoint.steps(place / "killed")[-1:] == before:
            assert process.is_alive(), f"it finished after {kill} kills: too few steps to be killed as often"
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(chance.random() * 0.1)
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    return whole, finish("killed")

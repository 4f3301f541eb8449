"""Commands and trainings that are killed at some moment, once or again and again."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from flows import child
from stages.training import checkpoint
from tests.helpers.checkouts import environment

Kept = tuple[dict[str, torch.Tensor], dict[str, Any]]


def once(command: tuple[str, ...], checkout: Path, reached: Callable[[], bool], **more: str) -> None:
    """Run a command in a checkout, and kill it with all that it started as soon as it has reached something."""
    process = subprocess.Popen(
        command, cwd=checkout, env=environment(checkout) | more, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 240
    while not reached():
        assert process.poll() is None and time.monotonic() < deadline, "it never got so far"
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    child.end(process.pid)  # its children die on their own time, and hold their locks until then


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

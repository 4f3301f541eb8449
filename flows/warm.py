"""Commands that start at once. A stage is a process of its own, and most of a short one's time is Python importing
torch and what comes with it: one process imports all that once, and is forked for each (warm_server.py)."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flows import warm_client, warm_server

MODULES = (  # stages.detector says what ultralytics is to read
    "stages.detector", "torch._dynamo", "torchvision", "ultralytics.models.yolo.detect", "albumentations", "pandas",
    "faster_coco_eval", "scipy.stats", "matplotlib.figure", "jinja2", "safetensors.torch", "dvc.cli",
    "dvc.commands.repro",
)  # fmt: skip
MARK = "TENFOLD_WARM"  # in the environment of what is started this way


@contextlib.contextmanager
def started(**environment: str) -> Iterator[None]:
    """Let commands be forked (`start`) until the block ends."""
    path, mark = os.environ.get("PATH", ""), os.environ.get(MARK, "")
    ending = start(**environment)
    try:
        yield
    finally:
        if ending is not None:
            os.environ |= {"PATH": path, MARK: mark}
            os.close(ending)


def start(*modules: str, **environment: str) -> int | None:
    """Let `python -m …` and `dvc …` that this process starts, or what it has started, be forked from now on until it
    ends: those that have the same environment as far as libraries read it once. Others start by themselves, and so
    do all until the modules (MODULES, if none are named) are imported. What is returned ends it sooner when closed;
    None where there is one already, or none can be."""
    if os.environ.get(MARK) or not hasattr(os, "pidfd_open"):
        return None
    folder = Path(tempfile.mkdtemp(prefix="tenfold-"))
    for name in ("python", "dvc"):
        program = Path(sys.executable).with_name(name)
        if shutil.which(name) != str(program):  # somebody has put another one before it
            continue
        words = (sys.executable, "-IS", warm_client.__file__, str(folder / warm_server.SOCKET), str(program))
        (folder / name).write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        (folder / name).chmod(0o755)
    reading, held = os.pipe()  # the other end is closed when this process ends, however it does
    subprocess.Popen(
        [sys.executable, "-m", "flows.warm_server", str(reading), str(folder), *(modules or MODULES)],
        pass_fds=[reading], env=os.environ | environment, cwd=Path(__file__).parents[1], start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(reading)
    os.environ[MARK] = str(folder)
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return held

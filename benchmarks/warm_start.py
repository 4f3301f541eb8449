"""What a run's stages start with, each by itself and forked from the process that has it all imported (flows/warm.py).

The clock's seconds, the least of several runs: of what a stage imports that asks a detector, of DVC until it knows what
is stale, and of a stage that does nothing, which DVC notes in a dvc.lock as long as this project's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.conditions import record
from flows import warm, warm_server
from stages import command

RUNS = 5
ASKS = "import stages.detector, torchvision\nfrom ultralytics.models.yolo import detect\n"
IDLE = "stages:\n  nothing:\n    cmd: 'true'\n"


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "asks.py").write_text(ASKS)
        os.environ |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": f"{Path.cwd()}{os.pathsep}{place}"}
        subprocess.run(["dvc", "init", "--quiet", "--no-scm"], cwd=place, check=True)
        shutil.copy("dvc.lock", place)
        (Path(place) / "dvc.yaml").write_text(IDLE)
        commands = {"torch, torchvision and ultralytics": ("python", "-m", "asks"), "dvc": ("dvc", "status", "split"),
                    "a stage that does nothing": ("dvc", "repro", "--quiet", "--force", "--cwd", place)}  # fmt: skip
        alone = {what: least(words) for what, words in commands.items()}
        began = time.monotonic()
        if warm.start() is None:
            raise AssertionError("a warm process is there already, or none can be")
        while not (Path(os.environ[warm.MARK]) / warm_server.SOCKET).exists():
            time.sleep(0.01)
        once = time.monotonic() - began
        forked = {what: least(words) for what, words in commands.items()}
    record("warm_start", {
        "the warm process itself, seconds": round(once, 1),
        "by itself, seconds": {what: round(seconds, 2) for what, seconds in alone.items()},
        "forked, seconds": {what: round(seconds, 2) for what, seconds in forked.items()},
        "times faster": {what: round(alone[what] / forked[what], 1) for what in commands},
    }, ("torch", "torchvision", "ultralytics-opencv-headless", "dvc"))  # fmt: skip


def least(words: tuple[str, ...]) -> float:
    """Return the seconds that a command takes, in its quickest run."""
    return min(spent(words) for _ in range(RUNS))


def spent(words: tuple[str, ...]) -> float:
    began = time.monotonic()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


if __name__ == "__main__":
    command.run(main, __doc__)

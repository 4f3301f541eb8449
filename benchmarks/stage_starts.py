"""How long each stage takes to start: seconds of one core until `--help` has been said, which needs all its imports.

The least of several runs counts, beside the start of Python alone. What takes seconds, as torch does, is imported once
a stage knows that its settings hold and that it needs it.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys

from benchmarks.conditions import record
from stages import code_dependencies, command, progress

RUNS = 3


def main() -> None:
    modules = code_dependencies.modules(code_dependencies.PIPELINE.read_text())
    python = least([sys.executable, "-c", ""])
    starts = {
        name.removeprefix("stages."): round(least([sys.executable, "-m", name, "--help"]), 2)
        for name in progress.bar(modules, what="starting stages", unit="stage")
    }
    record("stage_starts", {
        "python alone, seconds": round(python, 2), "slowest, seconds": max(starts.values()), "seconds": starts,
    }, ("torch", "ultralytics-opencv-headless", "dvc"))  # fmt: skip


def least(arguments: list[str]) -> float:
    """Return the seconds of a core that a command takes, in its quickest run."""
    return min(spent(arguments) for _ in range(RUNS))


def spent(arguments: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    command.run(main, __doc__)

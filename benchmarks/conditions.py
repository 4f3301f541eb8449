"""What a figure was measured on, so that it can be told from another machine's."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

from stages import files, paths


def record(name: str, figures: dict, packages: tuple[str, ...]) -> None:
    """Print the figures, and write them with their conditions to reports/benchmarks/<name>.json."""
    conditions = {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "packages": {package: importlib.metadata.version(package) for package in packages},
        "commit": _commit(),
    }
    for key, value in figures.items():
        print(f"{key:<36} {value}")
    path = paths.REPORTS / "benchmarks" / f"{name}.json"
    files.write_json(path, {"figures": figures, "conditions": conditions})
    print(f"written to {path}")


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def _commit() -> str:
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True)
    return done.stdout.strip() or "none"

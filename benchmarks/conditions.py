"""What a figure was measured on, so that it can be told from another machine's."""

from __future__ import annotations

import platform

from stages import files, paths, provenance


def of(packages: tuple[str, ...]) -> dict:
    """Return what machine, versions and commit something is measured with."""
    return {
        "processor": provenance.processor(),
        "cores": provenance.cores(),
        "python": platform.python_version(),
        "packages": provenance.versions(*packages),
        "commit": provenance.commit(),
    }


def record(name: str, figures: dict, packages: tuple[str, ...]) -> None:
    """Print the figures, and write them with their conditions to reports/benchmarks/<name>.json."""
    for key, value in figures.items():
        print(f"{key:<36} {value}")
    path = paths.REPORTS / "benchmarks" / f"{name}.json"
    files.write_json(path, {"figures": figures, "conditions": of(packages)})
    print(f"written to {path}")

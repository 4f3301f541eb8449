"""How much another seed changes, for comparisons that have one seed only."""

from __future__ import annotations

from stages import files, paths


def from_study() -> float | None:
    """Return the standard deviation of the difference between single detectors in the study that is kept in git."""
    return files.read_json(paths.STUDY).get("spread") if paths.STUDY.exists() else None

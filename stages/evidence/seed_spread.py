"""How much another seed changes, for comparisons that have few seeds."""

from __future__ import annotations

from stages import files, paths
from stages.evidence.statistics import Spread


def from_study() -> dict[str, Spread]:
    """Return how much single detectors differed by chance in the study that is kept in git, by measure."""
    found = files.read_json(paths.STUDY).get("spread", {}) if paths.STUDY.exists() else {}
    return {measure: Spread(**of) for measure, of in found.items()}

"""The whole loop for the product in focus, from its photographs to the gate's decision."""

from __future__ import annotations

from pathlib import Path

from flows import child
from flows.reproduce import reproduce
from stages import files, settings

GATE = Path("reports/metrics/gate.json")
COLLECTORS = ("evidence", "gate", "report")  # they depend on all experiments, and show what has run


def run(checkout: Path, slots: int) -> dict:
    """Bring a checkout's product up to date; what the gate says."""
    reproduce(targets=settings.load(checkout / settings.PARAMS).arrival.targets, slots=slots, checkout=str(checkout))
    for collector in COLLECTORS:
        child.run(["dvc", "repro", "--single-item", collector], checkout, print, PYTHONPATH=str(checkout))
    return decided(checkout)


def decided(checkout: Path) -> dict:
    """What the gate has said."""
    return files.read_json(checkout / GATE)

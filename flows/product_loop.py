"""The whole loop for the product in focus, from its photographs to the gate's decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flows import dag, disk, local, run_progress
from flows.reproduce import reproduce
from stages import files, provenance, settings

GATE = Path("reports/metrics/gate.json")
# They depend on all experiments, and show what has run.
COLLECTORS = ("evidence", "gate", "product", "report", "headline")


@dataclass(frozen=True)
class Means:
    """What a run may use of the machine, and of people."""

    slots: int = 2  # stages at a time
    least_free_gb: float = disk.FLOOR  # on the disk, or nothing is begun
    asks: bool = True  # whether it waits for a person's word on doubtful candidates
    seconds: Mapping[str, float] = field(default_factory=dict)  # of a core, that stages take of this product


def run(checkout: Path, means: Means) -> dict:
    """Bring a checkout's product up to date; what the gate says."""
    with run_progress.of(COLLECTORS, means.seconds) as bar:
        bring(checkout, settings.load(checkout / settings.PARAMS).arrival.targets, means)
        known = dag.read(checkout)
        for folder in dag.folders(checkout, COLLECTORS):
            folder.mkdir(parents=True, exist_ok=True)  # where nothing has run: DVC begins no stage without its inputs
        for collector in COLLECTORS:
            bar.begin(collector, provenance.cores())
            local.run(collector, checkout, known[collector].gpu, 1, print, "--single-item")  # with all the cores
            bar.end(collector)
    return decided(checkout)


def bring(checkout: Path, targets: list[str], means: Means) -> None:
    """Bring some stages, and all that they need, up to date."""
    reproduce(targets=targets, checkout=str(checkout), slots=means.slots, least_free_gb=means.least_free_gb)


def decided(checkout: Path) -> dict:
    """Return the gate's decisions."""
    return files.read_json(checkout / GATE)

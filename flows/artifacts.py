"""What a run leaves for whoever looks at it in Prefect: metrics and how they changed, pictures, where the report is."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path

from dvc.repo import Repo
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from flows.inbox import Arrival

GRID = Path("reports/plots/gan_compare/experiments.jpg")
REPORT = Path("reports/index.html")
NONE = Arrival("none yet", "", "", "")


def results(checkout: Path, ran: Iterable[str], seconds: float) -> None:
    """Leave artifacts: a table of the metrics with their difference to the last commit, the samples, the report."""
    rows = changes(checkout)
    about = f"{len(list(ran))} stages ran in {seconds:.0f} s. Differences are to the last commit."
    create_table_artifact(rows or [{"metric": "none", "now": "", "change": ""}], key="metrics", description=about)
    if (grid := checkout / GRID).exists():
        encoded = base64.b64encode(grid.read_bytes()).decode()
        create_markdown_artifact(f"![First samples of every GAN](data:image/jpeg;base64,{encoded})", key="samples")
    if (report := checkout / REPORT).exists():
        create_link_artifact(report.resolve().as_uri(), key="report", link_text="the report")


def arrivals(all_of_them: list[Arrival]) -> None:
    """Leave the table of arrivals, newest news first."""
    rows = [
        {"product": of.name, "state": of.state, "since": of.when, "why": of.why, "failed runs": of.tries}
        for of in sorted(all_of_them, key=lambda of: of.when, reverse=True) or [NONE]
    ]
    create_table_artifact(rows, key="arrivals", description="What became of each folder in data/incoming/.")


def changes(checkout: Path) -> list[dict[str, object]]:
    """Return a table of every metric's value, and its difference to the last commit."""
    with Repo(str(checkout)) as repo:  # not the command: starting it takes longer
        found = repo.metrics.diff(all=True).get("diff", {})
    rows = []
    for file, metrics in found.items():
        for name, of in metrics.items():
            change = of.get("diff")
            rows.append({
                "metric": f"{Path(file).stem}.{name}", "now": of.get("new"), "change": 0 if change is None else change,
            })  # fmt: skip
    return rows

"""How the thesis is quoted: a section of its page, and how figures are written in it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stages import files, page, paths


def quoted(chapter: str, title: str, parts: list[str], why: str) -> list[str]:
    """Return a section: what stands in a chapter of the thesis beside ours, and why they differ."""
    head = f"<h2>{page.text(chapter)}: {page.text(title)}</h2>"
    if not parts:
        return [head, "<p class=soft>Not run here.</p>"]
    return [head, *parts, f"<p><b>Why they differ.</b> {page.text(why)}</p>"]


def metrics(stage: str) -> dict[str, float]:
    """Return a stage's metrics; nothing where it has not run."""
    path = paths.METRICS / f"{stage}.json"
    return files.read_json(path) if path.exists() else {}


def percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def hours(seconds: float) -> str:
    """Return how long something took, in hours."""
    return f"{seconds / 3600:.3f}"


def trained(experiment: str, batch: int) -> float | None:
    """Return how many seconds a GAN's training took on this machine; None where it was not trained here."""
    path = paths.TIMING / "gan" / f"{experiment}.csv"
    if not path.exists():
        return None
    rows = pd.read_csv(path)
    steps = np.diff(rows["step"].to_numpy(), prepend=0)
    return float((steps * batch / rows["images_per_second"].to_numpy()).sum())

"""The judge's table of an experiment's candidates (data/judged/<experiment>.csv), checked: people have spreadsheets."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from stages import files, paths, tables
from stages.judge.colours import COLOURS
from stages.problem import Problem

COLUMNS = ("id", "verdict", "reason", "nearest", "distance", "threshold", "arrangement_like", "boxes")


def read(experiment: str) -> pd.DataFrame:
    """Return the table; raise a Problem that names the line where it is not as the judge wrote it."""
    path, pictures = paths.JUDGED / f"{experiment}.csv", paths.CANDIDATES / experiment
    table = tables.read(path, *COLUMNS)
    times = Counter(table["id"])
    for number, row in enumerate(table.to_dict("records"), 2):
        wrong = f"{row['id']} comes twice" if times[row["id"]] > 1 else _wrong(row, pictures)
        if wrong:
            raise Problem(f"{path}, line {number}: {wrong}")
    if table.empty:
        raise Problem(f"{path}: there are no candidates")
    return table


def _wrong(row: dict[Any, Any], pictures: Path) -> str | None:
    name = files.relative_name(f"{row['id']}.png", "id")
    if "/" in name or not (pictures / name).is_file():
        return f"there is no picture {pictures / name}"
    if row["verdict"] not in COLOURS:
        return f"verdict: {row['verdict']!r} is not allowed: expected one of {', '.join(COLOURS)}"
    measured = [row["distance"], row["threshold"]]
    if measured != ["", ""] and not all(isinstance(of, int | float) and abs(of) < math.inf for of in measured):
        return "distance, threshold: expected a number each, or in no line at all"
    if row["verdict"] == "red" and measured == ["", ""]:
        return "a copy has a distance and a threshold"
    try:
        boxes = json.loads(row["boxes"])
        if not isinstance(boxes, list) or any(len(box) != 6 or not all(map(math.isfinite, box)) for box in boxes):
            raise ValueError
    except (ValueError, TypeError, OverflowError, RecursionError):
        return "boxes: expected a list of six numbers for each"
    return None

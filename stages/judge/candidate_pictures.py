"""Read candidates from disk: what is known of them, and their pictures, all at one size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from stages import files, tables
from stages.dataset import photo
from stages.problem import Problem
from stages.settings import Settings

NUMBERS = ("step", "frame_width", "frame_height")
COLUMNS = ("id", *NUMBERS, "parents", "boxes")


def drawn(experiment: str, params: Settings) -> int:
    """Return how many pixels on a side there is something to see in an experiment's candidates: composed ones are as
    sharp as photographs, GANs may draw less than the judge looks at."""
    return params.now.judge.size if experiment in params.compositions else by_gans(params)


def by_gans(params: Settings) -> int:
    """Return how much of what GANs draw the judge sees, in pixels on a side."""
    return min(params.now.gan.size, params.now.judge.size)


def sides(params: Settings) -> list[int]:
    """Return the sides of what is judged: of what GANs draw, and of what the judge looks at."""
    return sorted({by_gans(params), params.now.judge.size})


def listed(folder: Path) -> pd.DataFrame:
    """Return the manifest of a folder's candidates; raise a Problem that names the line where it is none."""
    path = folder / "manifest.csv"
    manifest = tables.read(path, *COLUMNS)
    for number, row in enumerate(manifest.to_dict("records"), 2):
        if wrong := _wrong(row):
            raise Problem(f"{path}, line {number}: {wrong}")
    return manifest.astype({"parents": str, "boxes": str})


def _wrong(row: dict) -> str | None:
    if "/" in files.relative_name(f"{row['id']}.png", "id"):
        return f"{row['id']} is no name of a candidate"
    if not all(isinstance(row[name], int) and 0 <= row[name] < 2**31 for name in NUMBERS):
        return f"{', '.join(NUMBERS)}: expected a whole number each"
    return None


def load(folder: Path, manifest: pd.DataFrame, size: int) -> np.ndarray:
    """Return the pictures of a manifest as squares (n, size, size, 3; uint8).

    A Problem names one that is broken, or of another shape than the manifest says.
    """
    return np.stack(
        [photo.squashed(_read(folder / f"{row['id']}.png", row), size) for row in manifest.to_dict("records")]
    )


def _read(path: Path, row: dict) -> np.ndarray:
    """Return a candidate as it is stored: generators of squares draw squares, others whole frames."""
    if row["boxes"]:
        return photo.load(path, int(row["frame_width"]), int(row["frame_height"]))
    pixels = photo.shown(path)
    if pixels.shape[0] != pixels.shape[1]:
        raise Problem(f"{path}: {pixels.shape[1]}×{pixels.shape[0]} pixels; what draws no whole frames draws squares")
    return pixels

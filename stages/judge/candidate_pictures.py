"""Read candidates from disk, all at one size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from stages.dataset import photo


def load(folder: Path, manifest: pd.DataFrame, size: int) -> np.ndarray:
    """Return the pictures of a manifest as squares (n, size, size, 3; uint8).

    A Problem names one that is broken, or not as large as the manifest says.
    """
    return np.stack(
        [
            photo.squashed(photo.load(folder / f"{row['id']}.png", *_stored(row, size)), size)
            for row in manifest.to_dict("records")
        ]
    )


def _stored(row: dict, size: int) -> tuple[int, int]:
    """Return width and height of a candidate's file: generators of squares draw squares, others whole frames."""
    return (int(row["frame_width"]), int(row["frame_height"])) if row["boxes"] else (size, size)

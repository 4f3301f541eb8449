"""Whether there is room to begin: a full disk in the middle of a night is worse than a late start."""

from __future__ import annotations

import shutil
from pathlib import Path

FLOOR = 5.0  # GB


def check(place: Path, least_free_gb: float) -> None:
    free = shutil.disk_usage(place).free / 2**30
    if free < least_free_gb:
        raise RuntimeError(f"{place}: {free:.1f} GB free, {least_free_gb:g} are wanted before a run begins")

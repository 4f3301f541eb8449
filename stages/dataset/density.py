"""Pictures that say they are far larger than a photograph in their file could be: refused before they are decoded,
which takes as much time and memory as they say."""

from __future__ import annotations

import warnings
from pathlib import Path

from PIL.Image import DecompressionBombWarning

from stages.dataset import photo

ALWAYS = 4_000_000  # pixels that a picture may have, however small its file …
DENSEST = 1000  # … and beyond that for each byte; photographs have some ten

warnings.filterwarnings("ignore", category=DecompressionBombWarning)  # which goes by the pixels alone


def check(path: Path) -> None:
    """Raise Unreadable where a file is too small for the pixels that it says it has."""
    width, height = photo.size(path)
    held = path.stat().st_size
    if width * height > max(ALWAYS, DENSEST * held):
        raise photo.Unreadable(f"{path}: {width}×{height} pixels in {held:,} bytes are no photograph")

"""Progress bars: smooth on a terminal, a line every few seconds in a log."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm


def bar(items: Iterable[Any] | None = None, *, total: int | None = None, what: str, unit: str) -> tqdm:
    """Return a bar over `items`, or one to be advanced by hand when there are none."""
    quiet = not sys.stderr.isatty()
    pace = {"mininterval": 10, "maxinterval": 10, "ascii": True} if quiet else {}
    return tqdm(items, total=total, desc=what, unit=unit, ncols=100, **pace)

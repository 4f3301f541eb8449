"""Texts of unknown origin, line by line: of bounded size, in UTF-8, with or without the mark at its beginning that
editors of Windows leave there."""

from __future__ import annotations

import re
from pathlib import Path

from stages import files
from stages.problem import Problem

LARGEST = 10_000_000  # bytes of a text; a photograph's has some thousand


def read(path: Path) -> bytes:
    """Return a file's content; raise a Problem where it is too large."""
    return files.bounded(path, LARGEST)


def lines(path: Path) -> list[str]:
    """Return a file's lines, as an editor ends them; raise a Problem where it is no text in UTF-8."""
    try:
        return re.split(r"\r\n|\n|\r", read(path).decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Problem(f"{path}: not a text in UTF-8") from None

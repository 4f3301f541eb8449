"""Tables on disk, as CSV: a spreadsheet runs nothing of what they hold, and what is read is what was written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages import files
from stages.problem import Problem

if TYPE_CHECKING:
    import pandas as pd  # which takes half a second

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a cell begins with that spreadsheets take for a formula
TEXT = "'"  # what tells them that it is none


def cell(value: Any) -> Any:
    """Return a value as it stands in a table: text that would be a formula is marked as text."""
    formula = isinstance(value, str) and value.startswith((*FORMULA, TEXT)) and not _number(value)
    return TEXT + value if formula else value


def write(path: Path, table: pd.DataFrame, index: bool = False) -> None:
    files.write(path, _changed(table, cell).to_csv(index=index, lineterminator="\n"))


def read(path: Path, *columns: str) -> pd.DataFrame:
    """Return a table; raise a Problem where it is none, or lacks one of the columns. An empty cell is empty text."""
    import pandas as pd

    try:
        table = pd.read_csv(path, keep_default_na=False)
    except FileNotFoundError:
        raise Problem(f"{path}: no such file") from None
    except ValueError as error:  # pandas' own are such, and so is text that is not UTF-8
        raise Problem(f"{path}: no table ({error})") from None
    if missing := [name for name in columns if name not in table]:
        raise Problem(f"{path}: there is no column {missing[0]}")
    return _changed(table, lambda value: value.removeprefix(TEXT) if isinstance(value, str) else value)


def _changed(table: pd.DataFrame, change: Callable[[Any], Any]) -> pd.DataFrame:
    """Return a table with each of its texts changed."""
    return table.assign(**{str(name): of.map(change) for name, of in table.items() if of.dtype.kind not in "biuf"})


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

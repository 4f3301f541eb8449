"""What is left out, because the dataset does not have the photographs that it needs.

DVC runs a stage for every entry of params.yaml's tables, whatever the dataset has. The stage `subset` leaves a note in
the place of a choice that cannot be made; of a stage whose entry is made of something with such a note nothing is run,
and its outputs get the note, too. So what needs a product that is not there falls away by itself, wherever it stands.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages import files

PIPELINE = Path("dvc.yaml")
STAGE = "DVC_STAGE"  # the environment's name for the stage that DVC runs
NOTE = "left_out.json"  # in a folder that nothing was made in; of a file nothing is left
# Other products' pictures, and what has learnt from them: without these an entry does what it can.
LENT = ("${item.known}", "${item.extra}", "models/detector/focus/known")
_NAMED = re.compile(r"\$\{(key|item(?:\.(\w+))?)\}")


@dataclass(frozen=True)
class Declared:
    """What a stage of one entry is made of, and what it leaves."""

    made_of: list[Path]
    leaves: list[Path]


def note(folder: Path, why: str) -> None:
    """Leave a note in a folder in which nothing could be made."""
    files.write_json(folder / NOTE, {"why": why})


def why(path: Path) -> str | None:
    """Return why a result was left out; None, if it was not."""
    if (path / NOTE).is_file():
        return files.read_json(path / NOTE)["why"]
    return f"{path} is left out" if path.is_file() and not files.there(path) else None


def at_work() -> Declared | None:
    """Return the stage that DVC runs in this process, if it is one of an entry's."""
    name, at, key = os.environ.get(STAGE, "").rpartition(":")[2].partition("@")
    return declared(name, key) if at else None


def declared(name: str, key: str) -> Declared:
    """Return what dvc.yaml declares for the entry `key` of a stage."""
    from stages import settings  # which imports this

    stage = settings.raw(PIPELINE)["stages"][name]
    table, does, item = stage["foreach"], stage["do"], {}
    if isinstance(table, str):  # the table of params.yaml that it names
        entry: Any = settings.raw()
        for part in (*table.strip("${}").split("."), key):
            entry = entry[part]
        item = entry if isinstance(entry, dict) else {"": entry}

    def meant(path: str) -> Path:
        return Path(_NAMED.sub(lambda m: key if m[1] == "key" else str(item.get(m[2] or "", key)), path))

    outs = [*does.get("outs", []), *does.get("plots", [])]
    leaves = [next(iter(out)) if isinstance(out, dict) else out for out in outs]
    return Declared([meant(path) for path in does["deps"] if path not in LENT], [meant(path) for path in leaves])


def reason(stage: Declared) -> str | None:
    """Return why a stage has to be left out; None, if it can run."""
    return next((said for path in stage.made_of if (said := why(path))), None)


def leave(stage: Declared, said: str) -> None:
    """Leave a note in the place of all that a stage would have made, and of the parts of it that entries name."""
    from stages import settings  # which imports this

    named = _words(settings.raw())
    for out in stage.leaves:
        if out.suffix:
            files.write(out, "")
            continue
        with files.replacing(out) as folder:
            for part in (folder, *(folder / Path(word).relative_to(out) for word in named if f"{out}/" in word)):
                note(part, said)


def _words(value: Any) -> set[str]:
    """Return all texts in a value of YAML."""
    if isinstance(value, dict | list):
        return set().union(*(_words(of) for of in (value.values() if isinstance(value, dict) else value)))
    return {value} if isinstance(value, str) else set()

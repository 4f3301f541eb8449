"""What DVC notes of the stages that run in a checkout: which path each process reads or writes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import psutil

LISTING = Path(".dvc/tmp/rwlock")
ROUNDING = 2  # seconds to which it is known when a process was started


@dataclass(frozen=True)
class Held:
    """A path that a process reads or writes, or did when it was killed."""

    path: str
    process: int
    running: bool


def held(listing: Path) -> list[Held]:
    """Return all that DVC lists; raise ValueError where the list is half written."""
    if not listing.exists():
        return []
    known, since = json.loads(listing.read_bytes() or b"{}"), listing.stat().st_mtime
    entries = [(path, entry) for path, entry in known.get("write", {}).items()]
    entries += [(path, entry) for path, readers in known.get("read", {}).items() for entry in readers]
    return [Held(path, entry["pid"], lived(entry["pid"], since)) for path, entry in entries]


def running(listing: Path) -> list[int]:
    """Return the processes that DVC lists and that are alive."""
    return sorted({one.process for one in held(listing) if one.running})


def lived(pid: int, at: float) -> bool:
    """Return whether there is a process of this number that there was at some time, too: not another that has got its
    number since."""
    try:
        return psutil.Process(pid).create_time() <= at + ROUNDING
    except psutil.NoSuchProcess:
        return False

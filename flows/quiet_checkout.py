"""A checkout in which no stage runs, whoever began it: flows, `make repro`, a person's `dvc repro` of one stage."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import psutil
from dvc.lock import LockError
from dvc.repo import Repo, lock_repo

LISTING = Path(".dvc/tmp/rwlock")
ROUNDING = 2  # seconds to which it is known when a process was started


class Waits(Exception):
    """Not now, because somebody is at work in the checkout."""


@contextlib.contextmanager
def held(checkout: Path) -> Iterator[Repo]:
    """Hold DVC's own lock, or raise Waits. While a stage runs DVC lets go of it, and lists the stage instead."""
    try:
        with Repo(str(checkout)) as repo, lock_repo(repo):
            if running := listed(checkout / LISTING):
                raise Waits(f"stages run in {checkout} (processes {', '.join(map(str, running))})")
            yield repo
    except LockError:
        raise Waits(f"DVC is at work in {checkout}") from None


def listed(listing: Path) -> list[int]:
    """Return the processes that DVC lists and that are alive; not others that have got their numbers since."""
    if not listing.exists():
        return []
    known, since = json.loads(listing.read_text()), listing.stat().st_mtime
    entries = [*known.get("write", {}).values(), *(one for some in known.get("read", {}).values() for one in some)]
    return sorted({entry["pid"] for entry in entries if lived(entry["pid"], since)})


def lived(pid: int, at: float) -> bool:
    """Return whether there is a process of this number that there was at some time, too."""
    try:
        return psutil.Process(pid).create_time() <= at + ROUNDING
    except psutil.NoSuchProcess:
        return False

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
    """Return the processes that DVC lists and that are alive."""
    known = json.loads(listing.read_text()) if listing.exists() else {}
    entries = [*known.get("write", {}).values(), *(one for some in known.get("read", {}).values() for one in some)]
    return sorted({entry["pid"] for entry in entries if psutil.pid_exists(entry["pid"])})

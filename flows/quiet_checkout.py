"""A checkout in which no stage runs, whoever began it: flows, `make repro`, a person's `dvc repro` of one stage."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from dvc.lock import LockError
from dvc.repo import Repo, lock_repo

from stages import dvc_listing


class Waits(Exception):
    """Not now, because somebody is at work in the checkout."""


@contextlib.contextmanager
def held(checkout: Path) -> Iterator[Repo]:
    """Hold DVC's own lock, or raise Waits. While a stage runs DVC lets go of it, and lists the stage instead."""
    try:
        with Repo(str(checkout)) as repo, lock_repo(repo):
            if running := dvc_listing.running(checkout / dvc_listing.LISTING):
                raise Waits(f"stages run in {checkout} (processes {', '.join(map(str, running))})")
            yield repo
    except LockError:
        raise Waits(f"DVC is at work in {checkout}") from None

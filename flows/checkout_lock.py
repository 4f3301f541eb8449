"""One at a time works in a checkout: a run of the stages, a promotion, a person's `make repro`.

    python -m flows.checkout_lock COMMAND     runs a command that way

Whoever comes in puts in order first what a killed one left. DVC's own locks do not do for this: they are free between
two stages of a run.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from flows import child, killed_move, repository
from flows.quiet_checkout import Waits
from stages import files

LOCK = Path(".dvc/tmp/tenfold-at-work")


@contextlib.contextmanager
def alone(checkout: Path, wait: bool = True) -> Iterator[IO[str]]:
    """Be the only one at work in a checkout, where what a killed one left is in order, once others have ended; without
    `wait`, raise Waits. Whoever has the file that this yields open has the lock."""

    def busy(process: str) -> None:
        other = f"process {process} is at work in {checkout}"
        if not wait:
            raise Waits(other) from None
        print(f"{other}; waiting for it", flush=True)

    with files.locked(checkout / LOCK, busy) as lock:
        tidy(checkout)
        yield lock


def tidy(checkout: Path) -> None:
    """End what a killed run left running, drop the locks that it left, and take back a move of main that it was in."""
    if ended := child.reap(checkout / child.NOTES):
        print(f"ended what a killed run had left running: {ended}")
    if child.mend_locks(checkout):
        print("dropped DVC's list of locks, which killed processes had left")
    if left := repository.mend(checkout):
        print(f"dropped git's locks, which a killed process had left: {', '.join(path.name for path in left)}")
    if killed_move.undo(checkout):
        print("put the checkout in order, in which a move of main was killed")


def main() -> None:
    """Become a command, and with it the one at work."""
    with alone(Path.cwd()) as lock:
        os.set_inheritable(lock.fileno(), True)
        try:
            os.execvp(sys.argv[1], sys.argv[1:])
        except OSError as error:
            sys.exit(f"tenfold: {sys.argv[1]}: {error.strerror}")


if __name__ == "__main__":
    main()

"""Which GPUs a stage may use: each has its own, of those that the operator allows, and as many stages run as there are.

CUDA_VISIBLE_DEVICES says what is allowed, by index, UUID or MIG name; without it all GPUs are, and of one that is
partitioned each part. All checkouts of a machine share its GPUs, whatever they call them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import islice, takewhile
from pathlib import Path

from prefect import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.concurrency.sync import concurrency
from prefect.settings import PREFECT_API_URL

LOCKS = Path(tempfile.gettempdir()) / "tenfold-gpus"
ALLOWED = "CUDA_VISIBLE_DEVICES"
PAUSE = 2  # seconds between looks at GPUs that others use, whom the server's limit does not count


def allowed() -> dict[str, str]:
    """Return the GPUs that runs may use: by the names that CUDA takes, those that all checkouts know them by."""
    every = _cards()
    if (said := os.environ.get(ALLOWED)) is None:
        return {part: part for card in every for part in card}
    # CUDA stops at the first name that is none; `-1` is how all are hidden.
    named = takewhile(lambda name: name not in ("", "-1"), (name.strip() for name in said.split(",")))
    known = {str(index): parts[0] for index, parts in enumerate(every)}
    return {name: known.get(name, name) for name in named} if every else {}


def _cards() -> list[list[str]]:
    """Return the UUIDs of each of this machine's GPUs: its own, or those of its parts where it is partitioned (MIG)."""
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60).stdout
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return []
    cards = [re.findall(r"UUID: ([^)\s]+)", card) for card in re.split(r"^GPU ", listed, flags=re.M)]
    return [found[1:] or found for found in cards if found]


def limit_name() -> str:
    """Return the name of the server's limit for this machine's GPUs, or for those of them that are allowed."""
    return "-".join(["tenfold-gpu", socket.gethostname().lower(), *_plain(os.environ.get(ALLOWED, "")).split()])


def _plain(name: str) -> str:
    return re.sub(r"[^\w-]+", "_", name)


def declare(slots: int) -> None:
    """Tell the server how many stages can compute at a time here: one for each GPU. Without any, its slots: two
    trainings with a core each are done sooner than one after the other with two.

    A server of this process alone does not take back what a killed run had, as one that goes on does; nobody else has
    any there, so that all are free.
    """
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(limit_name(), len(allowed()) or slots)
        if not PREFECT_API_URL.value():
            client.update_global_concurrency_limit(limit_name(), GlobalConcurrencyLimitUpdate(active_slots=0))


@contextlib.contextmanager
def some(count: int) -> Iterator[dict[str, str]]:
    """Wait for a turn; the environment that shows a child so many GPUs (all, if there are fewer), or none where there
    is none.

    The server's limit counts, but cannot say which one is free: a locked file for each GPU does.
    """
    count = min(count, len(allowed()))
    # Without `strict`, a limit that is not declared lets everyone in.
    with concurrency(limit_name(), occupy=count or 1, strict=True), contextlib.ExitStack() as held:
        while len(taken := _taken(count, held)) < count:
            time.sleep(PAUSE)
        yield {ALLOWED: ",".join(taken)} if taken else {}


def _taken(count: int, held: contextlib.ExitStack) -> list[str]:
    """Return so many GPUs that were free and are locked now; none, if there are not as many."""
    with contextlib.ExitStack() as tried:
        taken = list(islice((name for name, known in allowed().items() if _locked(known, tried)), count))
        if len(taken) == count:
            held.push(tried.pop_all())
            return taken
    return []


def _locked(known: str, tried: contextlib.ExitStack) -> bool:
    """Return whether a GPU could be locked. Every user of the machine may, whatever they keep from others else."""
    with contextlib.suppress(PermissionError):  # it is another's, who has done so
        LOCKS.mkdir(exist_ok=True)
        LOCKS.chmod(0o1777)
    lock = os.open(LOCKS / _plain(known), os.O_WRONLY | os.O_CREAT, 0o666)
    tried.callback(os.close, lock)
    with contextlib.suppress(PermissionError):
        os.fchmod(lock, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

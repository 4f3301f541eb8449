"""Which GPU a training stage may use: as many at a time as there are, each with one of its own."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from prefect import get_client
from prefect.concurrency.sync import concurrency

LOCKS = Path(tempfile.gettempdir()) / "tenfold-gpus"  # all checkouts of this machine share its GPUs


def count() -> int:
    """Return how many NVIDIA GPUs this machine has."""
    return len(list(Path("/proc/driver/nvidia/gpus").glob("*")))


def limit_name() -> str:
    """Return the name of the server's limit for trainings on this machine."""
    return f"tenfold-gpu-{socket.gethostname().lower()}"


def declare(slots: int) -> None:
    """Tell the server how many trainings this machine can run at a time: one for each GPU. Without any, its slots: two
    trainings with a core each are done sooner than one after the other with two."""
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(limit_name(), count() or slots)


@contextlib.contextmanager
def one() -> Iterator[dict[str, str]]:
    """Wait for a turn; the environment that shows a child one GPU, or none where there is none.

    The server's limit counts, but cannot say which one is free: a locked file for each GPU does.
    """
    with concurrency(limit_name(), strict=True):  # without `strict`, a limit that is not declared lets everyone in
        if not count():
            yield {}
            return
        with contextlib.ExitStack() as stack:
            yield {"CUDA_VISIBLE_DEVICES": str(_free(stack))}


def _free(stack: contextlib.ExitStack) -> int:
    LOCKS.mkdir(exist_ok=True)
    for index in range(count()):
        file = stack.enter_context((LOCKS / str(index)).open("a"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return index
        except BlockingIOError:
            continue
    raise RuntimeError(f"all {count()} GPUs are in use by runs that the server's limit does not count")

"""How many trainings go at a time, and the processes that they go in.

On a CPU a training with one thread keeps one core busy, and two such on two cores do twice the steps of one with two
threads. One thread also gives the same bits on every machine of a kind, however many cores it has.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from threading import Thread

from stages import gpu, provenance

THREADS = "OMP_NUM_THREADS"


def together() -> int:
    """Return how many trainings may go at a time: one on a GPU, else one for each core that this process may use."""
    return 1 if gpu.count() else min(provenance.cores(), int(os.environ.get(THREADS) or 1 << 10))


@contextmanager
def trainings(most: int) -> Iterator[ProcessPoolExecutor]:
    """Give processes to train in, at most so many, each with its share of the machine."""
    count, before = min(most, together()), os.environ.get(THREADS)
    if not gpu.count():
        os.environ[THREADS] = "1"  # which the processes inherit
    pool = ProcessPoolExecutor(count, get_context("spawn"), _die_with, (os.getpid(),))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)  # after a failure, what has not begun would only be thrown away
        if before is None:
            os.environ.pop(THREADS, None)
        else:
            os.environ[THREADS] = before


def _die_with(parent: int) -> None:
    """End this process when the one that gives it work is gone, killed: it would wait for more for ever."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    Thread(target=watch, daemon=True).start()

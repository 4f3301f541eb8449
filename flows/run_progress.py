"""What a person sees of a long run: one bar for all its stages, with the time left. What they print goes to a log."""

from __future__ import annotations

import contextlib
import logging
import shutil
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar

from prefect.logging.configuration import setup_logging
from tqdm import tqdm

from stages import files, paths, provenance
from stages.problem import Problem

LOG = paths.REPORTS / "run.log"
SECONDS = paths.REPORTS / "benchmarks" / "stage_seconds.json"  # what benchmarks/stage_seconds.py has read from a log
UNKNOWN = 5.0  # seconds of a stage that was never measured
PAUSE = 20  # seconds between two lines where there is no terminal
LINE = "{percentage:3.0f}%|{bar:20}| {elapsed}, "
LOOKED_AT: ContextVar[bool] = ContextVar("looked_at", default=False)
SHOWN: ContextVar[Bar | None] = ContextVar("shown", default=None)  # the bar of a whole of which a run is a part
ALMOST = 0.95  # of a running stage, at most, is taken for done
USUAL = 300.0  # seconds for which this machine is taken to be as fast as the measured one


class WithoutTraceback(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"{getattr(record, 'task_run_name', record.name)}: {record.getMessage()}"


class Bar:
    """How much of a run is done, by how long its stages took where they were measured."""

    def __init__(self, stages: Iterable[str], seconds: Mapping[str, float] | None = None):
        """seconds: of a core, that some of its stages take in this run, whatever was measured elsewhere."""
        self.began = time.monotonic()
        self.seconds = seconds or {}
        self.expected: dict[str, float] = {}
        self.running: dict[str, tuple[float, int]] = {}  # since when, on how many cores
        self.done: dict[str, float] = {}  # seconds of a core that it took
        self.add(stages)

    def add(self, stages: Iterable[str]) -> None:
        found = expected(stages)
        self.expected |= found | {name: self.seconds[name] for name in found.keys() & self.seconds.keys()}

    def begin(self, name: str, cores: int = 1) -> None:
        self.running[name] = time.monotonic(), cores

    def end(self, name: str) -> None:
        since, cores = self.running.pop(name)
        self.done[name] = cores * (time.monotonic() - since)

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.began

    @property
    def share(self) -> float:
        """Return how much of the whole is done, from 0 to 1."""
        return min(1.0, self._finished() / max(sum(self.expected.values()), 1e-9))

    @property
    def left(self) -> float:
        """Return how many seconds the rest will take: all cores at work at first, and then as it has been going."""
        finished = self._finished()
        pace = (finished + provenance.cores() * USUAL) / (self.elapsed + USUAL)
        return max(0.0, sum(self.expected.values()) - finished) / pace

    def _finished(self) -> float:
        """Return how many of the expected seconds are done."""
        finished, took = sum(self.expected[name] for name in self.done), sum(self.done.values())
        # This machine's, against that which was measured. A run begins with short stages, which are mostly waiting.
        pace = (finished + USUAL) / (took + USUAL)
        for name, (since, cores) in self.running.items():
            finished += min(ALMOST * self.expected[name], pace * cores * (time.monotonic() - since))
        return finished

    def __str__(self) -> str:
        return f"{len(self.done)} of {len(self.expected)} stages done; {', '.join(self.running) or 'nothing'} runs"


def expected(stages: Iterable[str]) -> dict[str, float]:
    """Return how many seconds each stage takes: its own where they are known, else the mean of its kind's."""
    known: dict[str, float] = files.read_json(SECONDS)["figures"] if SECONDS.exists() else {}
    kinds: dict[str, list[float]] = {}
    for name, seconds in known.items():
        kinds.setdefault(name.partition("@")[0], []).append(seconds)
    means = {kind: sum(of) / len(of) for kind, of in kinds.items()}
    return {name: known.get(name, means.get(name.partition("@")[0], UNKNOWN)) for name in stages}


@contextlib.contextmanager
def of(stages: Iterable[str], seconds: Mapping[str, float] | None = None) -> Iterator[Bar]:
    """Give the bar on which stages are shown until the block ends: that of the whole of which they are a part, where
    there is one."""
    if outer := SHOWN.get():
        outer.add(stages)
        yield outer
        return
    bar = Bar(stages, seconds)
    token = SHOWN.set(bar)
    try:
        with shown(bar):
            yield bar
    finally:
        SHOWN.reset(token)


@contextlib.contextmanager
def shown(bar: Bar) -> Iterator[None]:
    """Show a bar until the block ends, where a person looks: on a terminal every second, else a line now and then."""
    if not LOOKED_AT.get():
        yield
        return
    ended = threading.Event()
    terminal = sys.stderr.isatty()

    def tell(end: str) -> None:
        said = tqdm.format_meter(100 * bar.share, 100, bar.elapsed, bar_format=LINE)
        said += f"{tqdm.format_interval(bar.left)} left; {bar}"
        width = shutil.get_terminal_size().columns - 1
        # Not printed: what a flow prints goes to its log.
        sys.stderr.write((said.ljust(width)[:width] if terminal else said) + end)
        sys.stderr.flush()

    def keep_telling() -> None:
        while not ended.wait(1 if terminal else PAUSE):
            tell("\r" if terminal else "\n")

    thread = threading.Thread(target=keep_telling, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        tell("\n")


@contextlib.contextmanager
def looked_at() -> Iterator[None]:
    """Let a person see runs as a bar, and an error as a line: all that Prefect and the stages say goes to LOG."""
    setup_logging()  # which would else put its own handlers back
    root = logging.getLogger()
    LOG.parent.mkdir(parents=True, exist_ok=True)
    log, console, before = logging.FileHandler(LOG, "w"), logging.StreamHandler(), root.handlers[:]
    log.setFormatter(before[0].formatter)
    console.setLevel(logging.WARNING)
    console.setFormatter(WithoutTraceback())
    console.addFilter(lambda record: record.name != "prefect.flow_runs")  # its error is raised, too
    root.handlers[:] = [log, console]
    token = LOOKED_AT.set(True)
    try:
        yield
    except RuntimeError as error:
        raise Problem(f"{error}; {LOG} has all that was said") from None
    finally:
        LOOKED_AT.reset(token)
        root.handlers[:] = before
        log.close()

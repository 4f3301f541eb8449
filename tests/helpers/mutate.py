"""What people and tools may hand in: files changed at random from a seed, and a watch on what reading them does."""

from __future__ import annotations

import copy
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from stages.problem import MOST, Problem

SECONDS, MEMORY = 30, 1 << 30  # that one case may take; of memory, beyond what there was
DEEP = "a list in a list in a list"  # stands for 900 of them, which Python itself can hardly copy or write
NASTY = (
    None, True, 0, -1, 1, 7, 2**31, 2**53, 2**63 - 1, 2**63, -(2**70), 0.5, -0.5, 1e-300, 5e7, 1e15, 1e308, -1e308,
    [], {},
    "", " ", ".", "..", "../a.png", "/etc/passwd", "a/b.png", "0", "1e999", "null", "=1+1", "@a", "a\nb", "\x1b[2J",
    "coin_$1_$2", "\u202ea", "ä" * 130, "x" * 240, "x" * 140_000, [0], [[0, 0, 9, 9, 0]], [[-1e9, 0, 1e9, 1, 5, 1e9]],
    {"size": [18, 24], "counts": [-1, 433]}, {"size": [18, 24], "counts": "~~"},
    {"size": [10**9] * 2, "counts": [10**18]}, DEEP,
)  # fmt: skip


def changed(value: Any, rng: np.random.Generator) -> Any:
    """Return JSON's value with one to three things in it changed: replaced, taken away, doubled, or put elsewhere."""
    value = copy.deepcopy(value)
    for _ in range(rng.integers(1, 4)):
        places = list(_places(value))
        if not places:
            return value
        inside, key = places[rng.integers(len(places))]
        what = rng.integers(5)
        if what == 0:
            del inside[key]
        elif what == 1 and isinstance(inside, list):
            inside.insert(rng.integers(len(inside) + 1), copy.deepcopy(inside[key]))
        elif what == 2:
            other, at = places[rng.integers(len(places))]
            inside[key] = copy.deepcopy(other[at])
        else:
            inside[key] = copy.deepcopy(NASTY[rng.integers(len(NASTY))])
    return value


def as_json(value: Any) -> bytes:
    return json.dumps(value).replace(json.dumps(DEEP), "[" * 900 + "]" * 900).encode()


def garbled(data: bytes, rng: np.random.Generator) -> bytes:
    """Return bytes with a few of them changed, taken away or doubled."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 6)):
        start = int(rng.integers(len(data) + 1))
        length = int(rng.choice([1, 1, 1, 4, 40, len(data)]))
        part = data[start : start + length]
        data[start : start + length] = (b"", part + part, rng.bytes(len(part)), b'"', b"\n", b",", b"\0")[
            rng.integers(7)
        ]
    return bytes(data)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield all there is in a value, as what it is in and its key there."""
    of = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in of:
        yield value, key
        yield from _places(inner)


_watched: tuple[Path, list[str]] | None = None
STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn")


def _audit(event: str, arguments: tuple) -> None:
    if _watched is None:
        return
    folder, seen = _watched
    if event in STARTS:
        seen.append(f"{event} {arguments[0]}")
    writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if (writes or event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir")) and isinstance(arguments[0], str | Path):
        path = Path(os.path.abspath(arguments[0]))  # noqa: PTH100 no file is looked at in here
        if not path.is_relative_to(folder) and path != Path(os.devnull):
            seen.append(f"{event} {path}")


sys.addaudithook(_audit)


@contextmanager
def watched(folder: Path) -> Iterator[None]:
    """Fail where the block writes outside a folder, starts a program, or takes more time or memory than one case
    may."""
    global _watched
    seen: list[str] = []
    there = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    _watched = folder, seen
    resource.setrlimit(resource.RLIMIT_AS, (there + MEMORY, before[1]))
    alarm = signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, alarm)
        resource.setrlimit(resource.RLIMIT_AS, before)
        _watched = None
    assert not seen, seen


def _too_long(*_: object) -> None:
    raise TimeoutError(f"more than {SECONDS} seconds")


@dataclass
class Outcomes:
    """How many cases gave a result and how many a line, and by its seed what the others did instead."""

    results: int = 0
    lines: int = 0
    lost: dict[int, str] = field(default_factory=dict)


def outcomes(seeds: range, folder: Path, case: Callable[[np.random.Generator], None]) -> Outcomes:
    """Run a case with each seed: it has to come to its end, or say why not in one line, a Problem."""
    found = Outcomes()
    for seed in seeds:
        try:
            with watched(folder):
                case(np.random.default_rng(seed))
            found.results += 1
        except Problem as problem:
            line = str(problem)
            if line.isprintable() and len(line) <= MOST + 3:
                found.lines += 1
            else:
                found.lost[seed] = f"no line: {line}"
        except (Exception, SystemExit) as error:  # whatever it is: the seed that shows it has to be told
            found.lost[seed] = f"{type(error).__name__}: {error}"[:2000]
    return found

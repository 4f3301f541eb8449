"""How hard the project is to break (reports/robustness.json): what was tried, what survived, and what was lost.

Three kinds of trouble: what is handed in, changed at random; SIGKILL at random moments, after which the same command
has to end in the same tree as undisturbed; and a disk that is full, under one folder after the other, which has to be
made good once there is room. The last needs root, which mounts a small file system; without, it is skipped.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks import conditions
from flows import child, inbox, serve
from stages import command, files, paths, settings
from stages.dataset import arrival, coco, photo
from stages.dataset.bins import world
from tests.helpers import arriving, checkouts, fuzzed, servers
from tests.helpers.mutate import Outcomes, outcomes

REPORT = paths.REPORTS / "robustness.json"
TOGETHER = 200  # cases in one process
KILLS = 3  # of one command, before it may come to its end
PATIENCE = 900  # seconds for one command
SAID = 500  # characters, from the end, of what it said are kept where something was lost
PAGE = os.sysconf("SC_PAGE_SIZE")  # bytes; such a disk holds whole ones
SMALL = ("data", "models", "reports", ".git")  # folders that get a small disk in turn

MANY = (1000, 10_000)  # photographs in one arrival
MORE = 1.5  # times what each of them takes in the smaller one

Figures = dict[str, Any]


class NoDisk(Exception):
    """No small disk could be mounted."""


@dataclass(frozen=True)
class Deed:
    """What is to be done in a checkout: its command, and what tells that it is done."""

    start: Callable[[Path], subprocess.Popen]
    left: Callable[[Path], Any]  # what the checkout then holds; the same, however often it was killed


def main(cases: int = 300, kills: int = 10, stages: int = 0, reach: str = "compose@paste", seed: int = 100_000) -> None:
    done: Figures = {}
    for name, of in tried(range(seed, seed + cases), range(seed, seed + kills), range(seed, seed + stages), reach):
        print(f"{name:<44} {of['tried']:>5} tried, {of['survived']:>5} survived {of['lost'] or ''}", flush=True)
        done[name] = of
        write(done)


def tried(cases: range, kills: range, stages: range, reach: str) -> Iterator[tuple[str, Figures]]:
    """Yield what became of each kind of trouble."""
    for kind in fuzzed.KINDS:
        yield f"changed {kind}", changed(kind, cases)
    yield f"{MANY[-1]:,} photographs in one arrival", many()
    with tempfile.TemporaryDirectory() as text, site(Path(text)) as server:
        place = Path(text)
        ready = arriving.checkout(drawn(place / "bins"), place / "ready")
        arriving.drop(place / "bins", ready, "spray")
        arrival = Deed(lambda folder: arriving.started(folder, server), arrived)
        rollback = Deed(lambda folder: arriving.started(folder, server, "rollback", "spray"), arrived)
        promoted, seconds = whole(arrival, ready, place / "promoted")
        wanted = arrived(promoted)
        yield "SIGKILL in an arrival and its promotion", killed(arrival, ready, wanted, seconds, kills)
        for small in SMALL:
            grows = max(1, pages(promoted / small) - pages(ready / small))
            yield f"full disk under {small}", full(arrival, ready, wanted, small, grows, kills)
        back, seconds = whole(rollback, promoted, place / "back")
        yield "SIGKILL in a rollback", killed(rollback, promoted, arrived(back), seconds, kills)
        if stages:
            clone = checkouts.fresh(place / "clone")
            repro = Deed(lambda folder: reproducing(folder, reach), lambda folder: (folder / "dvc.lock").read_text())
            made, seconds = whole(repro, clone, place / "made")
            yield f"SIGKILL in dvc repro {reach}", killed(repro, clone, repro.left(made), seconds, stages)


def write(kinds: Figures) -> None:
    """Write what is known so far, with its conditions: the whole takes long, and may be ended."""
    total = {key: sum(len(of[key]) if key == "lost" else of[key] for of in kinds.values())
             for key in ("tried", "survived", "lost")}  # fmt: skip
    where = conditions.of(("dvc", "prefect", "pillow", "msgspec"))
    files.write_json(REPORT, {"figures": total | {"kinds": kinds}, "conditions": where})


def figures(tried: int, lost: dict[str, str], seeds: range, began: float, **more: Any) -> Figures:
    """Return what became of so many tries."""
    return {"tried": tried, "survived": tried - len(lost), "lost": lost, "seeds": [seeds.start, seeds.stop - 1],
            **more, "seconds": round(time.monotonic() - began)}  # fmt: skip


def changed(kind: str, seeds: range) -> Figures:
    """Hand in what was changed at random, each part of the cases to a process of its own, which may die of it."""
    began, found = time.monotonic(), Outcomes()
    lost: dict[str, str] = {}
    for first in range(seeds.start, seeds.stop, TOGETHER):
        part = range(first, min(first + TOGETHER, seeds.stop))
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
            try:
                of = alone.submit(handed_in, kind, part).result()
            except BrokenProcessPool:
                lost[f"{part.start} to {part.stop - 1}"] = "the process died"
                continue
        found.results, found.lines = found.results + of.results, found.lines + of.lines
        lost |= {str(case): why for case, why in of.lost.items()}
    return figures(len(seeds), lost, seeds, began, results=found.results, lines=found.lines)


def handed_in(kind: str, seeds: range) -> Outcomes:
    with tempfile.TemporaryDirectory() as place, contextlib.chdir(place):
        here = Path.cwd()
        return outcomes(seeds, here, fuzzed.KINDS[kind](here))


def many() -> Figures:
    """Check an arrival of very many photographs: it may take no more for each of them than a smaller one does."""
    began, took = time.monotonic(), {}
    for count in MANY:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
            took[count] = alone.submit(checked, count).result()
    few, most = (np.array(took[count]) / count for count in (MANY[0], MANY[-1]))
    lost = {} if (most <= MORE * few).all() else {str(MANY[-1]): f"seconds and MB for {MANY[0]}: {took}"}
    return figures(1, lost, range(1), began, seconds_and_mb={f"{count:,}": of for count, of in took.items()})


def checked(count: int) -> tuple[float, float]:
    """Return the seconds and the megabytes that checking an arrival of so many small photographs takes."""
    rng, rule = np.random.default_rng(0), settings.load()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = [coco.Image(k, f"{k}.png", 64, 48) for k in range(count)]
        boxes = [coco.Annotation(k, k, 1, (4, 4, 20, 20)) for k in range(count)]
        for image in images:
            photo.save(folder / "images" / image.file_name, rng.integers(0, 256, (48, 64, 3), np.uint8))
        coco.write(folder / "annotations.json", coco.Coco(images, [coco.Category(1, "spray")], boxes))
        files.write(folder / "product.yaml", "classes: [spray]\n")
        before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
        arrival.check(folder, coco.Coco([], [], []), [], rule.arrival.least, rule.split)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return round(time.monotonic() - began, 2), round(grown / 1024, 1)


@contextlib.contextmanager
def site(place: Path) -> Iterator[dict[str, str]]:
    """Give the environment of a server that runs meanwhile."""
    port = servers.free_port()
    environ = serve.environment(place, serve.HOST, port)
    with serve.going(["server", "start", "--host", serve.HOST, "--port", str(port)], environ) as server:
        serve.await_server(environ["PREFECT_API_URL"], server)
        yield {name: value for name, value in environ.items() if name.startswith("PREFECT_")}


def drawn(folder: Path) -> Path:
    """Draw the built-in world at scale smoke."""
    params = msgspec.structs.replace(settings.load(), scale="smoke")
    world.generate(params.now.bins, params.seed, folder)
    return folder


def arrived(folder: Path) -> tuple[str, list[str], str]:
    """Return what an arrival leaves: main's content, all arrivals' states, and changes that nobody committed."""
    states = [of.state for of in inbox.read(folder)]
    looking = ("--no-optional-locks", "status", "--porcelain", "--untracked-files=no")  # which needs no room
    changes = arriving.git(folder, *looking)
    return arriving.git(folder, "rev-parse", "main^{tree}"), states, changes


def reproducing(folder: Path, target: str) -> subprocess.Popen:
    return subprocess.Popen(
        ["dvc", "repro", *filter(None, [target])], cwd=folder, env=checkouts.environment(folder), text=True,
        start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def waited(process: subprocess.Popen) -> str:
    """Let a command come to its end; return the end of what it said."""
    return process.communicate(timeout=PATIENCE)[0][-SAID:]


def whole(deed: Deed, ready: Path, into: Path) -> tuple[Path, float]:
    """Do a deed undisturbed in a copy of a checkout; return the copy, and the seconds that it took."""
    folder, began = shutil.copytree(ready, into, symlinks=True), time.monotonic()
    waited(deed.start(folder))
    return folder, time.monotonic() - began


def killed(deed: Deed, ready: Path, wanted: Any, seconds: float, seeds: range) -> Figures:
    """Do a deed again and again, killed at random moments; it has to leave what it leaves undisturbed."""
    began, lost, kills = time.monotonic(), {}, 0
    for seed in seeds:
        chance = random.Random(seed)
        with tempfile.TemporaryDirectory(dir=ready.parent) as place:
            folder = shutil.copytree(ready, Path(place) / "tenfold", symlinks=True)
            for _ in range(KILLS):
                process = deed.start(folder)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(chance.uniform(0, seconds))
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    kills += 1
            said = waited(deed.start(folder))
            child.reap(folder / child.NOTES)
            if (left := deed.left(folder)) != wanted:
                lost[str(seed)] = f"{left} in place of {wanted}: {said}"
    return figures(len(seeds), lost, seeds, began, kills=kills)


def pages(folder: Path) -> int:
    """Return how many pages a folder's files take on a small disk."""
    return sum(-(-path.lstat().st_size // PAGE) for path in folder.rglob("*") if not path.is_dir())


def full(deed: Deed, ready: Path, wanted: Any, small: str, grows: int, seeds: range) -> Figures:
    """Do a deed on a disk under one of the folders that has less room than the pages by which the deed makes it grow,
    and again once there is more; count those that were stopped by it."""
    began, lost, stopped = time.monotonic(), {}, 0
    for seed in seeds:
        with tempfile.TemporaryDirectory(dir=ready.parent) as place:
            folder = shutil.copytree(ready, Path(place) / "tenfold", symlinks=True)
            try:
                with disk(folder / small) as resized:
                    resized(random.Random(seed).randrange(grows) * PAGE)
                    waited(deed.start(folder))
                    stopped += deed.left(folder) != wanted
                    resized(1 << 30)
                    said = waited(deed.start(folder))
                    if (left := deed.left(folder)) != wanted:
                        lost[str(seed)] = f"{left} in place of {wanted}: {said}"
            except NoDisk as why:
                return figures(0, {}, seeds, began, skipped=str(why))
    return figures(len(seeds), lost, seeds, began, stopped=stopped)


@contextlib.contextmanager
def disk(folder: Path) -> Iterator[Callable[[int], None]]:
    """Put a folder onto a disk of its own; give what leaves it so many bytes of room."""
    aside = folder.with_name(f"{folder.name}.aside")
    folder.mkdir(exist_ok=True)
    shutil.copytree(folder, aside, symlinks=True)
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", folder], capture_output=True, text=True)
    if made.returncode:
        raise NoDisk(" ".join(made.stderr.split()))
    try:
        shutil.copytree(aside, folder, symlinks=True, dirs_exist_ok=True)

        def resized(room: int) -> None:
            used = os.statvfs(folder)
            size = max(PAGE, (used.f_blocks - used.f_bfree) * used.f_frsize + room)  # 0 would be no limit
            subprocess.run(["mount", "-o", f"remount,size={size}", folder], check=True)

        yield resized
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


if __name__ == "__main__":
    command.run(
        main, __doc__, cases="of each kind of what is handed in",
        kills=f"arrivals, and rollbacks, that are killed {KILLS} times each, and full disks under each folder",
        stages="runs of dvc repro that are killed as often",
        reach="the stage that it is to reach; empty for all", seed="the first",
    )  # fmt: skip

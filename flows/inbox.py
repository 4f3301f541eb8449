"""The queue of arrivals is a folder: what lies in data/incoming/ is claimed by a rename, so that nobody takes it twice.

The journal says what became of each arrival, by its content: the same content again is no news, the same name with
other content is put aside. It is written whole or not at all, under a lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from stages import files
from stages.dataset import arrival

INCOMING, CLAIMED, QUARANTINE = Path("data/incoming"), Path("data/claimed"), Path("data/quarantine")
JOURNAL = Path("data/arrivals.json")
NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
QUIET = 60  # seconds without a change after which a folder counts as complete; or it holds READY
OPEN = ("claimed", "checked", "built")  # states from which a run goes on
GONE = ("quarantined", "rolled back")  # states that leave the name to others
TRIES = 3  # failed runs in a row after which no further one is spent on an arrival


@dataclass(frozen=True)
class Arrival:
    name: str
    content: str  # what tells it from another with the same name
    state: str  # claimed, checked, built; promoted, left, quarantined, failed or rolled back
    when: str
    why: str = ""
    tries: int = 0  # runs in a row that failed on it

    @property
    def folder(self) -> Path:
        return CLAIMED / f"{self.name}-{self.content}"


def ready(checkout: Path, quiet: float = QUIET) -> list[Path]:
    """Return the folders of the queue that are complete, by name."""
    found = []
    for folder in sorted((checkout / INCOMING).glob("*/")):
        with contextlib.suppress(FileNotFoundError):  # it is being written
            last = max(p.lstat().st_mtime for p in [folder, *folder.rglob("*")])
            if (folder / "READY").exists() or time.time() - last >= quiet:
                found.append(folder)
    return found


def recover(checkout: Path) -> None:
    """Note as claimed what a run took that died before it could say so."""
    with journal(checkout) as entries:
        for folder in sorted((checkout / CLAIMED).glob("*/")):
            name, _, content = folder.name.rpartition("-")
            if content not in entries:
                entries[content] = Arrival(name, content, "claimed", now())


def claim(checkout: Path, folder: Path) -> Arrival | None:
    """Take a folder out of the queue; None, if somebody else took it, or if it is no news."""
    if not NAME.fullmatch(folder.name):
        return refuse(checkout, folder, f"the name has to match {NAME.pattern}")
    with contextlib.suppress(FileNotFoundError):
        content = arrival.content(folder)
        taken = checkout / CLAIMED / f"{folder.name}-{content}"
        with journal(checkout) as entries:
            known = entries.get(content)
            if known and known.name == folder.name and known.state != "rolled back":
                shutil.rmtree(folder)  # the same, to the byte
                return None
            if any(of.name == folder.name and of.state not in GONE for of in entries.values()):
                why = "a product of this name is there already, with other content"
                return refuse(checkout, folder, why)
            taken.parent.mkdir(parents=True, exist_ok=True)
            if taken.exists():  # since before it was rolled back
                shutil.rmtree(folder)
            else:
                folder.rename(taken)
            entries[content] = Arrival(folder.name, content, "claimed", now())
            return entries[content]
    return None


def refuse(checkout: Path, folder: Path, why: str) -> None:
    """Put a folder that was not claimed aside, with the reason beside it."""
    target = aside(checkout, folder.name)
    with contextlib.suppress(FileNotFoundError):
        folder.rename(target)
        files.write_json(target / "reason.json", {"name": folder.name, "why": why, "when": now()})


def quarantine(checkout: Path, of: Arrival, why: str) -> Arrival:
    """Put a claimed arrival aside; `unquarantine` gives it another try."""
    target = aside(checkout, of.name)
    if (checkout / of.folder).exists():
        files.write_json(checkout / of.folder / "reason.json", {"name": of.name, "why": why, "when": now()})
        (checkout / of.folder).rename(target)
    return mark(checkout, of, "quarantined", why)


def unquarantine(checkout: Path, name: str) -> None:
    """Give what was put aside under a name another try, as if it had just come."""
    found = sorted((checkout / QUARANTINE).glob(f"{name}*/reason.json"))
    found = [path.parent for path in found if files.read_json(path)["name"] == name]
    if not found:
        raise FileNotFoundError(f"{QUARANTINE}: there is no {name}")
    (found[-1] / "reason.json").unlink()
    with journal(checkout) as entries:
        for content in [c for c, of in entries.items() if of.name == name and of.state == "quarantined"]:
            del entries[content]
    (checkout / INCOMING).mkdir(parents=True, exist_ok=True)
    found[-1].rename(checkout / INCOMING / name)
    (checkout / INCOMING / name / "READY").touch()


def mark(checkout: Path, of: Arrival, state: str, why: str = "") -> Arrival:
    """Note how far an arrival has come."""
    with journal(checkout) as entries:
        entries[of.content] = replace(of, state=state, why=why, when=now(), tries=0)
        return entries[of.content]


def stopped(checkout: Path, of: Arrival, why: str, tries: int) -> Arrival:
    """Note what stopped a run on an arrival, and how many tries that cost; the next run goes on, unless they are up."""
    with journal(checkout) as entries:
        known = entries[of.content]
        state = "failed" if known.tries + tries >= TRIES else known.state
        entries[of.content] = replace(known, state=state, why=why, when=now(), tries=known.tries + tries)
        return entries[of.content]


@contextlib.contextmanager
def alone(checkout: Path) -> Iterator[bool]:
    """Yield whether nobody else is at work on arrivals: they come onto main one after the other."""
    path = checkout / "data" / "arrivals.run"
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = True
        except BlockingIOError:
            mine = False
        yield mine


def read(checkout: Path) -> list[Arrival]:
    path = checkout / JOURNAL
    return [Arrival(**entry) for entry in files.read_json(path).values()] if path.exists() else []


@contextlib.contextmanager
def journal(checkout: Path) -> Iterator[dict[str, Arrival]]:
    """Yield all arrivals by content, to be changed; nobody else reads or writes them meanwhile."""
    path = checkout / JOURNAL
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        entries = {of.content: of for of in read(checkout)}
        yield entries
        files.write_json(path, {content: asdict(of) for content, of in entries.items()})


def aside(checkout: Path, name: str) -> Path:
    """Return a free place in quarantine for a folder of this name."""
    folder = checkout / QUARANTINE
    folder.mkdir(parents=True, exist_ok=True)
    named = name if NAME.fullmatch(name) else "unnamed"
    free = (folder / (named if not k else f"{named}.{k}") for k in range(10_000))
    return next(path for path in free if not path.exists())


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

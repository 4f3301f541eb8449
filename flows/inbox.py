"""The queue of arrivals is a folder: what lies in data/incoming/ is claimed by a rename, so that nobody takes it twice.

The journal says what became of each arrival, by its name and content: the same again is no news, the same name with
other content is put aside. It is written whole or not at all, under a lock.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from msgspec import DecodeError, Meta, json

from stages import files, paths
from stages.dataset import arrival
from stages.problem import Problem

INCOMING, CLAIMED, QUARANTINE = Path("data/incoming"), Path("data/claimed"), Path("data/quarantine")
JOURNAL = Path("data/arrivals.json")
NAME, CONTENT = re.compile(r"[a-z][a-z0-9_]{0,40}"), re.compile("[0-9a-f]+")
QUIET = 60  # seconds without a change after which a folder counts as complete; or it holds READY
DIGITS = 40  # bytes of the number in READY; no folder holds more files than these can say
OPEN = ("claimed", "checked", "built")  # states from which a run goes on
STATES = (*OPEN, "promoted", "left", "quarantined", "failed", "rolled back")
GONE = ("quarantined", "rolled back")  # states that leave the name to others
TOO_DEEP = "its folders are nested too deeply"
TRIES = 3  # failed runs in a row after which no further one is spent on an arrival


@dataclass(frozen=True)
class Arrival:
    name: Annotated[str, Meta(pattern=f"^{NAME.pattern}$")]
    content: Annotated[str, Meta(pattern=f"^{CONTENT.pattern}$")]  # what tells it from another with the same name
    state: Annotated[str, Meta(pattern=f"^({'|'.join(STATES)})$")]
    when: str
    why: str = ""
    tries: int = 0  # runs in a row that failed on it

    @property
    def key(self) -> str:
        return f"{self.name}-{self.content}"

    @property
    def folder(self) -> Path:
        return CLAIMED / self.key


def ready(checkout: Path, quiet: float = QUIET) -> list[Path]:
    """Return the folders of the queue that are complete, by name; say what is passed over, and why."""
    found = []
    for entry in sorted((checkout / INCOMING).glob("[!.]*")):
        if not entry.is_dir():
            print(f"{INCOMING / readable(entry.name)} is passed over: only a folder is taken")
            continue
        try:
            if entry.is_symlink() or said(entry) or still(entry, quiet):  # where a link leads may be the whole disk
                found.append(entry)
        except FileNotFoundError:  # it is being written
            continue
        except OSError as error:  # it may not be read
            print(f"{INCOMING / readable(entry.name)} is passed over: {error.strerror}")
        except RecursionError:
            print(f"{INCOMING / readable(entry.name)} is passed over: {TOO_DEEP}")
    return found


def said(folder: Path) -> bool:
    """Return whether READY is there and empty, or says how many other files there are, and as many are: it may have
    been copied before them. One that says anything else says nothing."""
    word = folder / arrival.READY
    if word.is_symlink() or not word.is_file():
        return False
    with word.open("rb") as file:
        content = file.read(DIGITS)
    # What tells UTF-8 and UTF-16 from each other, as editors and PowerShell write them, is no part of the number.
    number = content.translate(None, b"\xef\xbb\xbf\xff\xfe\0").strip()
    return not number or (number.isdigit() and sum(p.is_file() for p in folder.rglob("*")) > int(number))


def still(folder: Path, quiet: float) -> bool:
    """Return whether nothing in a folder has changed for so many seconds, by the time that the system notes: what a
    file says itself comes from where it was copied from, and may lie in the future."""
    return time.time() - max(p.lstat().st_ctime for p in [folder, *folder.rglob("*")]) >= quiet


def recover(checkout: Path) -> None:
    """Note as claimed what a run took that died before it could say so; where the journal is lost, too, what is on main
    was promoted."""
    with journal(checkout) as entries:
        for folder in sorted((checkout / CLAIMED).glob("*/")):
            name, _, content = folder.name.rpartition("-")
            ours = NAME.fullmatch(name) and CONTENT.fullmatch(content)
            if ours and folder.name not in entries:
                there = (checkout / paths.PRODUCTS / f"{name}.dvc").exists()
                entries[folder.name] = Arrival(name, content, "promoted" if there else "claimed", now())


def claim(checkout: Path, folder: Path) -> Arrival | None:
    """Take a folder out of the queue; None, if somebody else took it, or if it is no news."""
    if not NAME.fullmatch(folder.name):
        return refuse(checkout, folder, f"the name has to match {NAME.pattern}")
    if folder.is_symlink():
        return refuse(checkout, folder, "a link to a folder; only a folder is taken")
    with contextlib.suppress(FileNotFoundError):
        try:
            of = Arrival(folder.name, arrival.content(folder), "claimed", now())
        except RecursionError:
            return refuse(checkout, folder, TOO_DEEP)
        taken = checkout / of.folder
        with journal(checkout) as entries:
            here = [one for one in entries.values() if one.name == of.name and one.state not in GONE]
            same = next((one for one in here if one.content == of.content), None)
            if here and not same:
                why = "a product of this name is there already, with other content"
                return refuse(checkout, folder, why)
            taken.parent.mkdir(parents=True, exist_ok=True)
            if taken.exists():  # the same, to the byte
                shutil.rmtree(folder)
            else:
                move(folder, taken)
            if same:
                print(f"{of.name} is no news: the same is there, and {same.state}")
                return None
            entries[of.key] = of
            return of
    return None


def refuse(checkout: Path, folder: Path, why: str) -> None:
    """Put a folder that was not claimed aside, with the reason beside it."""
    target = aside(checkout, folder.name)
    with contextlib.suppress(FileNotFoundError):
        if folder.is_symlink():
            target.mkdir()
            shutil.move(folder, target / folder.name)
        else:
            move(folder, target)
        note(target, folder.name, why)


def quarantine(checkout: Path, of: Arrival, why: str) -> Arrival:
    """Put a claimed arrival aside; `unquarantine` gives it another try."""
    target = aside(checkout, of.name)
    if (checkout / of.folder).exists():
        note(checkout / of.folder, of.name, why)
        (checkout / of.folder).rename(target)
    return mark(checkout, of, "quarantined", why)


def move(folder: Path, target: Path) -> None:
    """Move a folder, in one step; from another disk it is copied first."""
    try:
        folder.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with files.replacing(target) as copy:
            shutil.copytree(folder, copy, symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(folder)


def note(folder: Path, name: str, why: str) -> None:
    """Write into a folder why it is put aside; what else is called as that note is moves out of the way."""
    path = folder / arrival.REASON
    if path.is_dir():
        path.rename(folder / f"{path.name}.{now()}")
    files.write_json(path, {"name": readable(name), "why": readable(why), "when": now()})


def unquarantine(checkout: Path, name: str) -> None:
    """Give what was put aside last under a name another try, as if it had just come."""
    with journal(checkout) as entries:
        found = [path for path in (checkout / QUARANTINE).glob("*/") if path.name.partition(".")[0] == name]
        if not found:
            raise Problem(f"{QUARANTINE}: there is no {name}")
        last = max(found, key=lambda path: path.stat().st_ctime_ns)  # when it was put there
        target = checkout / INCOMING / name
        if target.exists():
            raise Problem(f"{INCOMING / name} waits to be taken; ask again when it is")
        for of in list(entries.values()):
            if of.name == name and of.state == "quarantined":
                del entries[of.key]
        target.parent.mkdir(parents=True, exist_ok=True)
        move(last, target)
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):
            (target / arrival.REASON).unlink()
        if not (target / arrival.READY).is_dir():
            files.write(target / arrival.READY, "")  # over a link, and not to where it leads


def mark(checkout: Path, of: Arrival, state: str, why: str = "") -> Arrival:
    """Note how far an arrival has come."""
    with journal(checkout) as entries:
        entries[of.key] = replace(of, state=state, why=readable(why), when=now(), tries=0)
        return entries[of.key]


def stopped(checkout: Path, of: Arrival, why: str, tries: int) -> Arrival:
    """Note what stopped a run on an arrival, and how many tries that cost; the next run goes on, unless they are up."""
    with journal(checkout) as entries:
        known = entries[of.key]
        state = "failed" if known.tries + tries >= TRIES else known.state
        entries[of.key] = replace(known, state=state, why=readable(why), when=now(), tries=known.tries + tries)
        return entries[of.key]


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
    try:
        return list(json.decode(path.read_bytes(), type=dict[str, Arrival]).values()) if path.exists() else []
    except (OSError, DecodeError, UnicodeDecodeError, RecursionError) as error:
        mend = f"put a copy of it back; without one, remove it, and what lies in {CLAIMED} is looked at anew"
        raise Problem(f"{JOURNAL} cannot be read ({error}): {mend}") from None


@contextlib.contextmanager
def journal(checkout: Path) -> Iterator[dict[str, Arrival]]:
    """Yield all arrivals by their keys, to be changed; nobody else reads or writes them meanwhile."""
    path = checkout / JOURNAL
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        entries = {of.key: of for of in read(checkout)}
        yield entries
        files.write_json(path, {key: asdict(of) for key, of in entries.items()})


def aside(checkout: Path, name: str) -> Path:
    """Return a free place in quarantine for a folder of this name."""
    folder = checkout / QUARANTINE
    folder.mkdir(parents=True, exist_ok=True)
    named = name if NAME.fullmatch(name) else "unnamed"
    free = (folder / (named if not k else f"{named}.{k}") for k in range(10_000))
    return next(path for path in free if not path.exists())


def readable(text: str) -> str:
    """Return a text as UTF-8, which a name or an argument need not be, and JSON and logs have to be."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

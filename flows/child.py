"""Child processes that end when they should: in a session of their own, so that all they started ends with them.

Killing `dvc` alone leaves the training it started running. What a killed flow left behind is found by the files that
note who started what, and is ended by the next flow.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil
from dvc.lock import LockError, make_lock
from dvc.rwlock import RWLOCK_LOCK, SCHEMA
from voluptuous import Invalid

from stages import dvc_listing, files

SECRET = re.compile(  # a name of what nobody is to read, in the environment, in config.local or in an address
    r"TOKEN|SECRET|PASS|(?<=[_?&;])PWD|CREDENTIAL|(KEY|SIG)(?=$|=)|CONNECTION_STRING|AUTH_STRING|WEBHOOK", re.I
)
SETTING = re.compile(r"^\s*(\w+)\s*=\s*(.+?)\s*$", re.M)  # of .dvc/config.local
LONGEST = 500  # characters of a reason
IN_ADDRESS = re.compile(
    rf"(?<=://)[^/\s]+(?=@)|(?<=://)\S*hook\S*|(?P<asked>[?&;][^=&\s]*?(?:{SECRET.pattern})[^=&\s]*=)[^&\s\"']+", re.I
)
NOTES = Path(".dvc/tmp/tenfold-children")
PATIENCE = 10  # seconds between asking a child to end and making it end


class Failed(RuntimeError):
    """The child ended with an error; `says` is the line that a person needs, if it left one."""

    def __init__(self, command: list[str], code: int, says: str):
        super().__init__(f"{' '.join(command)}: exit status {code}{f': {says}' if says else ''}")
        self.says = says


def tidy_when_ended(code: int | None = None) -> None:
    """Let a signal that ends this process do what Ctrl-C does: nothing that it started is left running. code: that it
    ends with, if not with what a shell says of the signal."""
    for how in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(how, lambda number, _: sys.exit(128 + number if code is None else code))


def run(command: list[str], checkout: Path, say: Callable[[str], None], **environment: str) -> str:
    """Run a command in a checkout, handing on its output line by line with secrets blacked out; all of its output."""
    environ = os.environ | environment
    secrets = environ | kept(checkout)
    child = subprocess.Popen(
        command, cwd=checkout, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", bufsize=1, start_new_session=True,
    )  # fmt: skip
    lines = []
    with noted(checkout / NOTES, child.pid):
        try:
            assert child.stdout is not None
            for line in child.stdout:
                lines.append(redacted(line.rstrip(), secrets))
                if lines[-1]:
                    say(lines[-1])
            code = child.wait()
        except BaseException:  # a cancelled run and Ctrl-C, too: whatever ends us ends the child
            end(child.pid)
            raise
    if code:
        reasons = [line for line in lines if line.startswith("tenfold: ")]
        raise Failed(command, code, reasons[-1].removeprefix("tenfold: ") if reasons else "")
    return "\n".join(lines)


def redacted(line: str, environ: Mapping[str, str]) -> str:
    """Return a line of output without the values of secret variables, and without what is secret in addresses: who
    comes, what is asked with, and a webhook's whole."""
    for name, value in environ.items():
        if SECRET.search(name):
            for part in map(str.strip, value.splitlines()):  # a key has several lines
                line = line.replace(part, "***") if len(part) > 5 else line
    return IN_ADDRESS.sub(lambda found: f"{found['asked'] or ''}***", line)


def kept(checkout: Path) -> dict[str, str]:
    """Return what .dvc/config.local sets, by name: DVC has its credentials from there."""
    path = checkout / ".dvc" / "config.local"
    found = SETTING.findall(path.read_text(errors="replace")) if path.exists() else []
    return {f"{number}.{name}": value.strip("'\"") for number, (name, value) in enumerate(found)}


def one_line(text: str, checkout: Path) -> str:
    """Return a text for people, on one line of some length, with secrets blacked out."""
    return redacted(" ".join(text.split()), os.environ | kept(checkout))[:LONGEST]


def end(group: int) -> None:
    """End a process group: asked first, made to after a while."""
    for how, wait in ((signal.SIGTERM, PATIENCE), (signal.SIGKILL, PATIENCE)):
        try:
            os.killpg(group, how)
        except ProcessLookupError:
            pass
        except PermissionError:  # it is another user's, which has got its number
            return
        members = [p for p in psutil.process_iter() if _group(p.pid) == group]
        if not psutil.wait_procs(members, wait)[1]:
            return


def end_all(checkout: Path) -> None:
    """End the children that this process started."""
    for note in (checkout / NOTES).glob("*.json"):
        if (facts := _facts(note)) and facts["parent"] == os.getpid():
            end(int(note.stem))


def reap(notes: Path, ending: Callable[[int], None] = end) -> list[int]:
    """End what killed processes left running, by their notes; the groups that were ended. DVC drops dead processes'
    locks itself."""
    ended = []
    for note in notes.glob("*.json"):
        facts, group = _facts(note), int(note.stem)
        if facts and _born(facts["parent"]) != facts["parent_born"]:
            if (born := _born(group)) == facts["born"] or (born is None and _members(group)):
                ending(group)
                ended.append(group)
            note.unlink(missing_ok=True)
    return ended


def mend_locks(checkout: Path) -> bool:
    """Drop DVC's list of locks where it is none, as after a kill while it was written, and where all that it lists has
    ended: DVC refuses everything until then, or waits for another process that has such a number now."""
    path = checkout / dvc_listing.LISTING
    for look in range(3):  # what is being written now is whole a moment later
        try:
            SCHEMA(known := json.loads(path.read_bytes()))
            return any(known.values()) and _drop_ended(path)
        except FileNotFoundError:
            return False
        except (ValueError, Invalid):
            time.sleep(look)
    path.unlink()
    return True


def _drop_ended(path: Path) -> bool:
    """Drop DVC's list of locks if all that it lists has ended; nobody writes into it meanwhile."""
    with contextlib.suppress(LockError), make_lock(str(path.with_name(RWLOCK_LOCK)), tmp_dir=str(path.parent)):
        if not dvc_listing.running(path):
            path.unlink(missing_ok=True)
            return True
    return False


@contextlib.contextmanager
def noted(notes: Path, group: int) -> Iterator[None]:
    """Note for a while that this process has started a process group."""
    note = notes / f"{group}.json"
    note.parent.mkdir(parents=True, exist_ok=True)
    facts = {"parent": os.getpid(), "parent_born": _born(os.getpid()), "born": _born(group)}
    files.write_json(note, facts)
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def _facts(note: Path) -> dict | None:
    """Return what a note says; None, after dropping it, where it says nothing, as after a power cut."""
    try:
        return json.loads(note.read_bytes())
    except ValueError:
        print(f"dropped {note.name}, which cannot be read: it noted what a process had left running")
        note.unlink(missing_ok=True)
        return None


def _born(pid: int) -> float | None:
    """Return when a process was started, which tells it from a later one with its number."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return None


def _members(group: int) -> bool:
    return any(_group(p.pid) == group for p in psutil.process_iter())


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None

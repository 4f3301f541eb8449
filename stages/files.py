"""How a result gets onto the disk: whole or not at all. Nothing else in the house writes outputs its own way."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import hashlib
import json
import mmap
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from stages.problem import Problem

DRIVE = re.compile(r"[A-Za-z]:")  # with which paths begin on Windows
LONGEST_NAME, LONGEST_PATH = 255, 3000  # bytes of a name, and of a path inside the project
SHORTENED = 200  # bytes of a name to which something is added
PART = ".part-"  # marks what is being written; .gitignore and .dvcignore know it


def write(path: Path | str, data: bytes | memoryview | str) -> None:
    """Put `data` at `path` in one step: readers see the old file or the new one, never a piece."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{fingerprint(path.name)}{PART}{os.getpid()}")  # a name may be as long as names can be
    try:
        part.write_bytes(data.encode() if isinstance(data, str) else data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_json(path: Path | str, value: Any) -> None:
    """Write `value` as JSON that diffs well: indented, a newline at the end."""
    write(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def rounded(value: Any) -> Any:
    """Return JSON's value with all its numbers to four places, so that what differs is a difference."""
    if isinstance(value, dict):
        return {key: rounded(of) for key, of in value.items()}
    if isinstance(value, list):
        return [rounded(of) for of in value]
    return round(value, 4) if isinstance(value, float) else value


def there(path: Path) -> bool:
    """Return whether there is a file with a result in it: one that was left out is empty."""
    return path.is_file() and path.stat().st_size > 0


def read_json(path: Path | str) -> Any:
    return json.loads(Path(path).read_bytes())


@contextlib.contextmanager
def replacing(folder: Path | str) -> Iterator[Path]:
    """Give an empty folder to fill; it takes the place of `folder` only when the block ends well.

    What an earlier, killed run left half filled is removed first. Of a link, the folder that it leads to is replaced.
    """
    folder = Path(folder)
    folder = folder.resolve() if folder.is_symlink() else folder
    if folder.is_mount():
        raise Problem(f"{folder}: a volume is mounted there, which nothing can take the place of; name a folder in it")
    folder.parent.mkdir(parents=True, exist_ok=True)
    begun = f".{folder.name}{PART}"
    for left in folder.parent.glob(f"{glob.escape(begun)}*"):
        process = left.name.removeprefix(begun).partition("-")[0]
        alive = process.isdigit() and Path("/proc", process).exists()
        if left.is_dir() and not alive:
            shutil.rmtree(left)
    part = Path(tempfile.mkdtemp(prefix=f"{begun}{os.getpid()}-", dir=folder.parent))
    part.chmod(0o755)
    try:
        yield part
        if folder.exists():
            shutil.rmtree(folder)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def relative_name(name: str, what: str) -> str:
    """Return `name`, if it stays inside its folder wherever it is joined to one; else raise a Problem that says `what`
    wants out."""
    parts = name.replace("\\", "/").split("/")
    if not name or "\0" in name or not parts[0] or DRIVE.match(name) or ".." in parts:
        raise Problem(f"{what}: the file name {name!r} leaves its folder; use a relative name without '..' or a drive")
    if len(os.fsencode(name)) > LONGEST_PATH or any(len(os.fsencode(part)) > LONGEST_NAME for part in parts):
        begins = f"{name[:SHORTENED]!r}" + " …" * (len(name) > SHORTENED)
        raise Problem(f"{what}: the file name {begins} is longer than {LONGEST_NAME} bytes, which no disk holds")
    return name


def shortened(name: str) -> str:
    """Return a name, or as much of its beginning as leaves room for a number and a suffix behind it."""
    return name.encode()[:SHORTENED].decode(errors="ignore")


def tellable(path: Path) -> bool:
    """Return whether a path is UTF-8, as JSON has to be."""
    return os.fsencode(path).decode(errors="ignore") == str(path)


def bounded(path: Path, most: int) -> bytes:
    """Return the content of somebody's file; raise a Problem where it has more than `most` bytes."""
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise Problem(f"{path}: it has more than {most:,} bytes, too many for what it should be")
    return content


def holds(path: Path, word: bytes) -> bool:
    """Return whether a word is somewhere in a file; however large that is, it is not read at once."""
    if path.stat().st_size == 0:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(word) >= 0


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(*parts: Any) -> str:
    """Return twelve hex digits that change when any part does: a value (as JSON), or a Path (a file's or folder's
    content)."""
    sha = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            paths = sorted(p for p in part.rglob("*") if p.is_file()) if part.is_dir() else [part]
            for path in paths:
                if path.suffix != ".cache":  # ultralytics leaves these beside labels
                    sha.update(f"{path.relative_to(part)}\0{digest(path)}\n".encode())
        else:
            sha.update(json.dumps(part, sort_keys=True).encode() + b"\n")
    return sha.hexdigest()[:12]


@contextlib.contextmanager
def locked(path: Path, busy: Callable[[str], None] | None = None) -> Iterator[IO[str]]:
    """Hold the one lock on `path` for the block. A second process is told who has it instead of waiting; with `busy`,
    that is called with the other's number, and the process waits unless it raises. Yield the file: whoever has it open
    has the lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            other = file.read().strip() or "?"
            if busy is None:
                raise Problem(f"{path}: another run (process {other}) is working here") from None
            busy(other)
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield file

"""What somebody wants looked at: photographs and videos, read while the detector is at work on what came before."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from stages.dataset import photo
from stages.dataset.formats import found
from stages.problem import Problem

# Some of these need not be readable: a telephone's photographs are told of, not passed over.
PHOTOGRAPHS = {*found.SUFFIXES, ".jfif", ".jpe", ".heic", ".heif"}
VIDEOS = {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".mts", ".m2ts", ".3gp"}
LOOKED_AT = PHOTOGRAPHS | VIDEOS
KINDS = 5  # of files that are passed over, as many as a line has room for

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # its lines would stand between ours; read once

LARGE = 50_000_000  # pixels; at full size, 150 MB

Item = TypeVar("Item")
Made = TypeVar("Made")


def listed(place: Path) -> tuple[list[Path], list[str]]:
    """Return the photographs, then the videos, that a path names: itself, or all in a folder; and a line that counts
    the other files there, if there are any. A system's or a tool's own files are neither."""
    if place.is_file():
        return [place], []
    if not place.exists():
        raise Problem(f"{place}: there is no such file or folder")
    there = sorted(path for path in place.rglob("*") if path.is_file())
    there = [p for p in there if not any(part.startswith(found.HIDDEN) for part in p.relative_to(place).parts)]
    wanted = [path for path in there if path.suffix.lower() in LOOKED_AT]
    if not wanted:
        kinds = ", ".join(sorted(kind[1:] for kind in LOOKED_AT))
        raise Problem(f"{place}: there are no photographs or videos in it ({kinds})")
    return sorted(wanted, key=video), passed_over(Counter(path.suffix.lower() for path in there))


def passed_over(kinds: Counter[str]) -> list[str]:
    """Return a line that counts the files of other kinds than are looked at, if there are any."""
    others = Counter({kind: count for kind, count in kinds.items() if kind not in LOOKED_AT})
    most = ", ".join(f"{count} {kind!a}" for kind, count in others.most_common(KINDS))  # a suffix may be no text
    return [f"Files passed over, by their names no photographs or videos: {others.total()} ({most})"] if others else []


def check_apart(into: Path, photos: Path) -> None:
    """Refuse a folder for results that lies among the photographs, or that they lie in: it is replaced."""
    results, looked_at = into.resolve(), photos.resolve()
    if results.is_relative_to(looked_at):
        raise Problem(f"{into}: the results cannot lie among the photographs in {photos}")
    if looked_at.is_relative_to(results):
        raise Problem(f"{into}: the photographs in {photos} cannot lie in the results' folder, which is replaced")


def video(path: Path) -> bool:
    """Return whether a file is a video, by its name."""
    return path.suffix.lower() in VIDEOS


def large(path: Path) -> bool:
    """Return whether a photograph is so large that one at a time is enough in memory, going by what it says itself."""
    try:
        width, height = photo.size(path)
    except photo.Unreadable:
        return False
    return width * height > LARGE


def opened(path: Path) -> cv2.VideoCapture:
    """Return a video to be read."""
    film = cv2.VideoCapture(str(path))
    if not film.isOpened():
        raise photo.Unreadable(f"{path}: not a video that can be read")
    return film


def frames(film: cv2.VideoCapture) -> Iterator[np.ndarray]:
    """Yield the frames of a video as uint8 RGB."""
    while True:
        there, pixels = film.read()
        if not there:
            return
        yield cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def ahead(
    pool: Executor, work: Callable[[Item], Made], items: Iterable[Item], most: int
) -> Iterator[tuple[Item, Future[Made]]]:
    """Yield items in order, each with what becomes of it; so many are being worked on at a time."""
    waiting: deque[tuple[Item, Future[Made]]] = deque()
    for item in items:
        waiting.append((item, pool.submit(work, item)))
        if len(waiting) >= most:
            yield waiting.popleft()
    yield from waiting

"""Opening photographs: whole, upright as they were annotated, or with a reason why not."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from stages import files
from stages.problem import Problem

ORIENTATION = 0x0112  # the EXIF tag
TURNED = (5, 6, 7, 8)  # its values that swap width and height
JPEG = b"\xff\xd8\xff"  # how such a file begins

# What Pillow raises for a file that is no whole picture. Once ultralytics is imported, an opener of its own stands in
# Pillow's place, which answers an unknown format by importing a HEIF plugin that need not be installed.
BROKEN = (OSError, SyntaxError, ValueError, UnidentifiedImageError, Pillow.DecompressionBombError, ImportError)


class Unreadable(Problem):
    """The file is no whole picture, or not of the declared size."""


def load(path: Path, width: int, height: int) -> np.ndarray:
    """Return a picture as uint8 RGB of exactly the declared size, in the orientation its annotations were made in.

    Annotation tools show a picture as its EXIF tag turns it, converters often do not. The declared size tells which
    it was; where it cannot (the picture is only upside down, or square), the tag is followed, as a viewer would.
    """
    with _whole(path), Pillow.open(path) as picture:
        stored, turn = picture.size, picture.getexif().get(ORIENTATION, 1)
        if turn != 1 and not (turn in TURNED and stored == (width, height) and width != height):
            picture = ImageOps.exif_transpose(picture)
        pixels = np.array(picture.convert("RGB"))
    if pixels.shape[:2] != (height, width):
        raise Unreadable(f"{path}: declared {width}×{height}, but the file has {stored[0]}×{stored[1]}")
    return pixels


def shown(path: Path) -> np.ndarray:
    """Return anybody's picture as uint8 RGB, in the orientation that a viewer shows."""
    with _whole(path):
        data = path.read_bytes()
        if data.startswith(JPEG):  # OpenCV takes a third of Pillow's time
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
            if pixels is not None:
                return pixels
        with Pillow.open(io.BytesIO(data)) as picture:
            return np.array(ImageOps.exif_transpose(picture).convert("RGB"))


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Say in one line what is wrong with a file that is read in the block, if it is no whole picture."""
    try:
        yield
    except FileNotFoundError:
        raise Unreadable(f"{path}: the file is missing") from None
    except BROKEN as error:
        reason = "unknown format" if isinstance(error, ImportError) else str(error).replace(str(path), "file")
        raise Unreadable(f"{path}: not a whole picture ({reason})") from None


def read(path: Path) -> np.ndarray:
    """Return a picture of the project's own making as uint8 RGB."""
    with Pillow.open(path) as picture:
        return np.array(picture.convert("RGB"))


def turned(path: Path) -> bool:
    """Return whether an EXIF tag asks viewers to turn or mirror the picture."""
    try:
        with Pillow.open(path) as picture:
            return picture.getexif().get(ORIENTATION, 1) != 1
    except BROKEN:
        return False


def fit(pixels: np.ndarray, size: int) -> np.ndarray:
    """Return a picture reduced so that its longer side is `size`; it is never enlarged."""
    height, width = pixels.shape[:2]
    ratio = size / max(width, height)
    if ratio >= 1:
        return pixels
    target = max(1, round(width * ratio)), max(1, round(height * ratio))
    return cv2.resize(pixels, target, interpolation=cv2.INTER_AREA)


def squashed(pixels: np.ndarray, size: int) -> np.ndarray:
    """Return the whole frame as a square, as generators are trained on it."""
    return cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA)


def save(path: Path, pixels: np.ndarray) -> None:
    """Write uint8 RGB in the format of the path's suffix, whole or not at all."""
    buffer = io.BytesIO()
    kind = "JPEG" if path.suffix.lower() in (".jpg", ".jpeg") else "PNG"
    options = {"quality": 88, "optimize": True} if kind == "JPEG" else {"compress_level": 3}
    Pillow.fromarray(pixels).save(buffer, kind, **options)
    files.write(path, buffer.getvalue())

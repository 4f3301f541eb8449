"""Opening photographs: whole, upright as they were annotated, or with a reason why not."""

from __future__ import annotations

import contextlib
import io
import mmap
import os
import re
import struct
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import UnidentifiedImageError
from PIL.ImageFile import ImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from stages import files
from stages.problem import Problem

ORIENTATION = 0x0112  # the EXIF tag
TURNED = (5, 6, 7, 8)  # its values that swap width and height
JPEG = ("JPEG", "MPO")
TURN = Pillow.Transpose
UPRIGHT = {2: TURN.FLIP_LEFT_RIGHT, 3: TURN.ROTATE_180, 4: TURN.FLIP_TOP_BOTTOM, 5: TURN.TRANSPOSE, 6: TURN.ROTATE_270,
           7: TURN.TRANSVERSE, 8: TURN.ROTATE_90}  # fmt: skip
BACK = {6: 8, 8: 6}  # what undoes a turn that does not undo itself
QUICKLY: dict[int, Callable[[np.ndarray], np.ndarray]] = {  # the same, of pixels
    2: lambda of: cv2.flip(of, 1), 3: lambda of: cv2.rotate(of, cv2.ROTATE_180), 4: lambda of: cv2.flip(of, 0),
    5: cv2.transpose, 6: lambda of: cv2.rotate(of, cv2.ROTATE_90_CLOCKWISE),
    7: lambda of: cv2.rotate(cv2.transpose(of), cv2.ROTATE_180),
    8: lambda of: cv2.rotate(of, cv2.ROTATE_90_COUNTERCLOCKWISE),
}  # fmt: skip

BITS, WHITE_IS = 258, 262  # TIFF tags: bits of a sample; 0, where white is its lowest value
# Of all that Pillow opens, what photographs come in: for others it starts a program (EPS: Ghostscript).
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "TIFF", "BMP", "GIF", "JPEG2000", "PPM")

ALWAYS = 4_000_000  # pixels that a picture may have, however small its file …
DENSEST = 1000  # … and beyond that for each byte; photographs have some ten
JPEG_BEGINS, SCAN = b"\xff\xd8", b"\xff\xda"  # a scan goes over all of the picture once more …
MOST_SCANS = 100  # … of which tools write some ten
THICKEST, APART = 4, 4_000_000  # bytes of each pixel, and of all else, beyond which a file is not read at once
warnings.filterwarnings("ignore", category=Pillow.DecompressionBombWarning)  # which goes by the pixels alone

# What Pillow raises for a file that is no whole picture; RuntimeError for a broken AVIF, the second line for odd EXIF.
# Once ultralytics is imported, an opener of its own stands in Pillow's place, which answers an unknown format by
# importing a plugin that need not be installed.
BROKEN = (OSError, SyntaxError, ValueError, RuntimeError, Pillow.DecompressionBombError, ImportError,
          struct.error, TypeError, AttributeError, LookupError, ArithmeticError)  # fmt: skip


class Unreadable(Problem):
    """The file is no whole picture, not of the declared size, or too small for the pixels that it says it has."""


def load(path: Path, width: int, height: int) -> np.ndarray:
    """Return a picture as uint8 RGB of exactly the declared size, in the orientation its annotations were made in.

    Annotation tools show a picture as its EXIF tag turns it, converters often do not. The declared size tells which
    it was; where it cannot (the picture is only upside down, or square), the tag is followed, as a viewer would.
    """
    with _whole(path), Pillow.open(path, formats=FORMATS) as picture:
        stored = picture.size
        if sorted(stored) != sorted((width, height)):  # it is not decoded: it may be of any size
            raise _other_size(path, width, height, stored)
        _check_density(path, stored, path.stat().st_size)
        ends, turn = _ends(picture), _turn(picture)
        picture = _upright(picture, turn)
        if turn in TURNED and picture.size != (width, height):  # it was annotated as it is stored
            picture = picture.transpose(UPRIGHT[BACK.get(turn, turn)])
        if picture.size != (width, height):
            raise _other_size(path, width, height, stored)
        return _rgb(picture, ends)


def check_size(path: Path, width: int, height: int) -> None:
    """Raise Unreadable where a picture says itself that it is not of the declared size, turned or not, or that it is
    far larger than a photograph in its file could be."""
    stored = size(path)
    if sorted(stored) != sorted((width, height)):
        raise _other_size(path, width, height, stored)
    _check_density(path, stored, path.stat().st_size)


def size(path: Path) -> tuple[int, int]:
    """Return the width and height that a picture says it has, as stored (a TIFF: as shown); nothing is decoded."""
    with _whole(path), Pillow.open(path, formats=FORMATS) as picture:
        return picture.size


def _other_size(path: Path, width: int, height: int, stored: tuple[int, int]) -> Unreadable:
    return Unreadable(f"{path}: declared {width}×{height}, but the file has {stored[0]}×{stored[1]}")


def _check_density(path: Path, stored: tuple[int, int], held: int) -> None:
    """Raise Unreadable where a file holds too few bytes for the pixels that it says it has, or draws them over and
    over: decoding takes as much time and memory as they say."""
    width, height = stored
    if width * height > max(ALWAYS, DENSEST * held):
        raise Unreadable(f"{path}: {width}×{height} pixels in {held:,} bytes are no photograph")
    if (scans := _scans(path)) > MOST_SCANS:
        raise Unreadable(f"{path}: a JPEG of {scans} scans is no photograph")


def _scans(path: Path) -> int:
    """Return how often a JPEG draws its picture, 0 for other files; however large it is, it is not read at once."""
    with path.open("rb") as file:
        if file.read(len(JPEG_BEGINS)) != JPEG_BEGINS:
            return 0
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return sum(1 for _ in re.finditer(SCAN, data))


def shown(path: Path) -> np.ndarray:
    """Return anybody's picture as uint8 RGB, in the orientation that a viewer shows."""
    with _whole(path), Pillow.open(path, formats=FORMATS) as picture:  # which refuses too large a one
        held, (width, height) = path.stat().st_size, picture.size
        _check_density(path, picture.size, held)
        if picture.format in JPEG and held <= APART + THICKEST * width * height:  # OpenCV takes a third of the time
            pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
            if pixels is not None:
                return QUICKLY[turn](pixels) if (turn := _turn(picture)) in QUICKLY else pixels
        ends = _ends(picture)
        return _rgb(_upright(picture, _turn(picture)), ends)


def _turn(picture: Pillow.Image) -> int:
    """Return how a viewer turns a picture: by its EXIF tag. Pillow's getexif would believe other notes (XMP), too."""
    if isinstance(picture, TiffImageFile):
        return picture.tag_v2.get(ORIENTATION, 1)
    if isinstance(picture, PngImageFile) and "exif" not in picture.info and files.holds(_file(picture), b"eXIf"):
        picture.load()  # it stands behind the pixels
    tags = Pillow.Exif()
    tags.load(picture.info.get("exif") or b"")
    return tags.get(ORIENTATION, 1)


def _file(picture: ImageFile) -> Path:
    return Path(os.fsdecode(picture.filename))


def _upright(picture: Pillow.Image, turn: int) -> Pillow.Image:
    """Return a picture turned as its EXIF tag says. ImageOps.exif_transpose would write all of the EXIF anew, and fail
    on any odd value in it. A TIFF has been turned by Pillow."""
    how = None if isinstance(picture, TiffImageFile) else UPRIGHT.get(turn)
    return picture if how is None else picture.transpose(how)


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Say in one line what is wrong with a file that is read in the block, if it is no whole picture."""
    try:
        yield
    except FileNotFoundError:
        raise Unreadable(f"{path}: the file is missing") from None
    except BROKEN as error:
        unknown = isinstance(error, (ImportError, UnidentifiedImageError))
        reason = f"it is none of {', '.join(FORMATS)}" if unknown else str(error).replace(str(path), "file")
        raise Unreadable(f"{path}: not a whole picture ({reason})") from None


def read(path: Path) -> np.ndarray:
    """Return a picture of the project's own making as uint8 RGB."""
    with Pillow.open(path, formats=FORMATS) as picture:
        return _rgb(picture, _ends(picture))


def _ends(picture: Pillow.Image) -> tuple[int, int] | None:
    """Return the values that stand for black and white in a grey picture of more than 8 bits; None, if nobody knows."""
    if picture.mode == "F" or (picture.mode == "I" and picture.format != "PPM"):  # of which Pillow makes 16 bits
        return None
    tags = picture.tag_v2 if isinstance(picture, TiffImageFile) else {}
    top = 2 ** tags.get(BITS, (16,))[0] - 1
    return (top, 0) if tags.get(WHITE_IS) == 0 else (0, top)


def _rgb(picture: Pillow.Image, ends: tuple[int, int] | None) -> np.ndarray:
    """Return a picture's pixels as uint8 RGB. Grey of more than 8 bits is scaled; Pillow would cut it off at 255."""
    if ends is None:
        raise ValueError("its brightness has no known range; save it with 8 or 16 bits")
    if isinstance(picture, Jpeg2KImageFile) and picture.mode.startswith("RGB"):
        picture.load()  # says what is wrong with it, which OpenCV would print; but makes white black, if it has 16 bits
        if (pixels := cv2.imread(str(_file(picture)), cv2.IMREAD_COLOR_RGB)) is None:
            raise ValueError("OpenCV cannot decode it")
        return pixels
    if not picture.mode.startswith("I"):
        return np.array(picture.convert("RGB"))
    black, white = ends
    grey = np.round((np.asarray(picture, np.float32) - black) * (255 / (white - black))).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def turned(path: Path) -> bool:
    """Return whether an EXIF tag asks viewers to turn or mirror the picture."""
    try:
        with Pillow.open(path, formats=FORMATS) as picture:
            return _turn(picture) != 1
    except BROKEN:
        return False


def by_shape(pictures: Sequence[np.ndarray]) -> list[list[int]]:
    """Return the places of those pictures that have one shape, shape by shape."""
    places: dict[tuple[int, ...], list[int]] = {}
    for k, pixels in enumerate(pictures):
        places.setdefault(pixels.shape, []).append(k)
    return list(places.values())


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


def unsquashed(pixels: np.ndarray, frame: tuple[int, int]) -> np.ndarray:
    """Return a square in the shape (width and height) of the frames that it was made from, where it has another."""
    if pixels.shape[:2] == (frame[1], frame[0]):
        return pixels
    return cv2.resize(pixels, frame, interpolation=cv2.INTER_CUBIC)


def save(path: Path, pixels: np.ndarray) -> None:
    """Write uint8 RGB in the format of the path's suffix, whole or not at all: JPEG, PNG, or BMP, which is large, and
    read in a tenth of PNG's time."""
    if path.suffix.lower() in (".jpg", ".jpeg"):
        buffer = io.BytesIO()
        Pillow.fromarray(pixels).save(buffer, "JPEG", quality=88, optimize=True)
        content = buffer.getvalue()
    else:  # OpenCV writes PNG four times as fast as Pillow
        content = cv2.imencode(path.suffix, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1].tobytes()
    files.write(path, content)

"""An annotation's mask: outlines or pixels, read from COCO's polygons and run lengths, inside the frame."""

from __future__ import annotations

from typing import Annotated

import cv2
import msgspec
import numpy as np
from msgspec import Meta, Struct
from pycocotools import mask as rle

from stages.dataset.coco import Annotation
from stages.problem import Problem

FAR = 1e9  # pixels: no corner is taken to lie farther off
LONGEST = 1_000_000  # pixels of an outline; pycocotools takes 160 bytes for each


class RunLengths(Struct):
    """COCO's other kind of mask: how many pixels are outside, inside, outside, …, column by column."""

    size: tuple[int, int]  # height, width
    counts: str | list[Annotated[int, Meta(ge=0)]]


Segmentation = RunLengths | list[list[float]] | None


def polygons(annotation: Annotation, width: int, height: int) -> list[np.ndarray]:
    """Return the outlines of an annotation's mask, each (n, 2) in pixels, as far as they are in the frame; none where
    there is no mask. Run lengths become their outer contours."""
    found = _read(annotation, width, height)
    if isinstance(found, RunLengths):
        contours, _ = cv2.findContours(_pixels(found), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        return [c[:, 0].astype(float) + 0.5 for c in contours if len(c) >= 3]
    return [outline for outline in found if len(outline) >= 3]


def mask(annotation: Annotation, width: int, height: int) -> np.ndarray | None:
    """Return an annotation's mask as an array of 0 and 1, or None where it has no mask."""
    found = check(annotation, width, height)
    if isinstance(found, RunLengths) or not found:
        return _pixels(found) if isinstance(found, RunLengths) else None
    inside = [outline for outline in found if len(outline) >= 3]
    if not inside:
        return np.zeros((height, width), np.uint8)
    flat = [part.ravel().tolist() for part in inside]
    return rle.decode(rle.merge(rle.frPyObjects(flat, height, width)))  # pyright: ignore[reportCallIssue, reportArgumentType]


def check(annotation: Annotation, width: int, height: int) -> RunLengths | list[np.ndarray]:
    """Raise a Problem where a mask cannot be drawn, without drawing it; else return what it is drawn from."""
    found = _read(annotation, width, height)
    if not isinstance(found, RunLengths):
        lengths = (np.abs(part - np.roll(part, 1, 0)).max(1).sum() for part in found if len(part) >= 3)
        if sum(lengths) > LONGEST:
            raise Problem(f"annotation {annotation.id}: its outline is longer than {LONGEST:,} pixels")
    return found


def _read(annotation: Annotation, width: int, height: int) -> RunLengths | list[np.ndarray]:
    """Return what an annotation says of its mask: run lengths, as numbers that add up, or outlines, of which nothing is
    left where one lies outside the frame."""
    try:
        found = msgspec.json.decode(annotation.segmentation, type=Segmentation)
        if isinstance(found, RunLengths):
            return _whole(found, width, height)
        parts = _outlines(found or [])
    except (msgspec.DecodeError, ValueError) as error:
        raise Problem(f"annotation {annotation.id}: its segmentation cannot be read ({error})") from None
    return [clipped(part, width, height) for part in parts]


def _outlines(parts: list[list[float]]) -> list[np.ndarray]:
    """Return outlines, each (n, 2), without those of two corners, which enclose nothing; raise a ValueError where one
    is no list of corners, or a corner by itself."""
    for part in parts:
        if len(part) % 2 or len(part) == 2:
            raise ValueError(f"an outline is x, y, x, y, … of three or more corners; one has {len(part)} numbers")
    return [np.array(part).reshape(-1, 2) for part in parts if len(part) >= 6]


def clipped(outline: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return the part of an outline (n, 2) that is in the frame, cut off at each of its sides in turn (Sutherland and
    Hodgman); one that is inside comes back as it is."""
    if outline.min() >= 0 and not (outline > (width, height)).any():
        return outline
    outline = outline.clip(-FAR, FAR)
    for axis, sign, side in ((0, 1, 0), (0, -1, width), (1, 1, 0), (1, -1, height)):
        depth = sign * (outline[:, axis] - side)
        following = np.roll(depth, -1)
        inside, crosses = depth >= 0, (depth >= 0) != (following >= 0)
        share = np.divide(depth, depth - following, out=np.zeros(len(depth)), where=crosses)
        cuts = outline + share[:, None] * (np.roll(outline, -1, 0) - outline)
        cuts[:, axis] = side
        outline = np.stack([outline, cuts], 1)[np.stack([inside, crosses], 1)]
    return outline


def _whole(found: RunLengths, width: int, height: int) -> RunLengths:
    """Return run lengths as numbers; raise a ValueError where they are not those of a whole frame."""
    if found.size != (height, width):
        raise ValueError(f"its size {list(found.size)} is not the image's {[height, width]}")
    counts = _unpacked(found.counts) if isinstance(found.counts, str) else found.counts
    if min(counts, default=0) < 0 or sum(counts) != width * height:
        raise ValueError(f"its counts do not add up to {width} × {height} pixels")
    return RunLengths(found.size, counts)


def _pixels(found: RunLengths) -> np.ndarray:
    """Return a mask as an array of 0 and 1. Not by pycocotools, which leaves to chance what too few counts do not
    reach."""
    (height, width), counts = found.size, found.counts
    return np.repeat(np.arange(len(counts), dtype=np.uint8) & 1, counts).reshape(width, height).T  # pyright: ignore[reportCallIssue, reportArgumentType]


def _unpacked(text: str) -> list[int]:
    """Return the counts that COCO packs into a text: five bits a character, the sixth says that the number goes on, and
    from the fourth number on it is the difference to the last but one."""
    counts, value, shift = [], 0, 0
    for character in text.encode():
        bits = character - ord("0")
        if not 0 <= bits < 64 or shift > 60:
            raise ValueError("its counts are no run lengths")
        value |= (bits & 31) << shift
        shift += 5
        if bits < 32:
            value -= (bits >> 4 & 1) << shift
            counts.append(value + counts[-2] if len(counts) > 2 else value)
            value = shift = 0
    return counts

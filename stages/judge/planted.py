"""Candidates of known verdict, made of real images and their masks: what the judge is tested on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np

from stages.judge import object_faults, salience
from stages.judge.copies import copies
from stages.judge.object_faults import Piece
from stages.judge.reference import Reference, joined

OBJECTS = (2, 3)  # in a recombined picture, each from another image: one alone might be a copy of its own
OPACITY = (0.25, 0.6)  # of a ghost
MIXED = (2, 4)  # images that shine through each other
TRIES = 50  # until as many objects as wanted have found room
ROOM = np.ones((5, 5), np.uint8)  # pixels that objects stay apart
Spoil = Callable[[Piece, np.random.Generator], Piece]
Maker = Callable[[], np.ndarray | None]


def planted(reference: Reference, more: Reference, each: int, shift: float, seed: int) -> tuple[np.ndarray, list[str]]:
    """Return pictures and their true colours, `each` of every colour that can be made of these images; `more` of them
    show what the empty bin looks like."""
    rng = np.random.default_rng(seed)
    empty, free = bare(joined([reference, more])), object_faults.of(reference)
    pictures, truth = made(each, {
        "green": [lambda: recombined(empty, free, rng)],
        "yellow": [lambda: recombined(empty, free, rng, ghostly)],
        "white": [lambda: recombined(empty, free, rng, object_faults.cut, every=True)],
        "red": [lambda: copies(reference.pixels[rng.integers(len(reference))], 1, shift, rng)[0]],
    })  # fmt: skip
    return np.stack(pictures), truth


def graded(reference: Reference, more: Reference, each: int, seed: int) -> tuple[np.ndarray, list[str]]:
    """Return pictures that are new, `each` of every grade that can be made, and their true colours: whole objects, one
    spoilt in one of three ways among whole ones, and pictures in which all are spoilt or shine through each other."""
    rng, empty = np.random.default_rng(seed), bare(joined([reference, more]))
    free, ways = object_faults.of(reference), (ghostly, object_faults.smeared, object_faults.cut)

    def mixture() -> np.ndarray:
        of = rng.choice(len(reference), min(len(reference), int(rng.integers(*MIXED, endpoint=True))), replace=False)
        return object_faults.mixed([reference.pixels[k] for k in of], [reference.masks[k] for k in of], rng)[0]

    pictures, truth = made(each, {
        "green": [lambda: recombined(empty, free, rng)],
        "yellow": [partial(recombined, empty, free, rng, way) for way in ways],
        "white": [*(partial(recombined, empty, free, rng, way, every=True) for way in ways), mixture],
    })  # fmt: skip
    return np.array(pictures, np.uint8).reshape(-1, *empty.shape), truth


def greens(reference: Reference, count: int, seed: int) -> np.ndarray:
    """Return pictures (n, size, size, 3; uint8) that are new and good; none, where no object stands free."""
    free, rng, empty = object_faults.of(reference), np.random.default_rng(seed), bare(reference)
    pictures, _ = made(count, {"green": [lambda: recombined(empty, free, rng)]})
    return np.array(pictures, np.uint8).reshape(-1, *empty.shape)


def made(each: int, makers: dict[str, list[Maker]]) -> tuple[list[np.ndarray], list[str]]:
    """Return pictures and their colours: `each` of every colour, by its makers in turn; fewer, where one makes none."""
    found = [(picture, colour) for colour, some in makers.items()
             for k in range(each) if (picture := some[k % len(some)]()) is not None]  # fmt: skip
    return [picture for picture, _ in found], [colour for _, colour in found]


def bare(reference: Reference) -> np.ndarray:
    """Return the empty bin as a picture."""
    return (salience.empty(reference) * 255).round().astype(np.uint8)


def recombined(
    empty: np.ndarray, free: list[Piece], rng: np.random.Generator, spoil: Spoil | None = None, every: bool = False
) -> np.ndarray | None:
    """Return a picture of several images' objects in the empty bin, where they were and apart; all of them spoilt, or
    one beside as many whole ones. None, where too few of them find room."""
    beside = int(spoil is not None and not every)
    wanted = int(rng.integers(OBJECTS[0], OBJECTS[1] + 1)) + beside
    if len({piece.image for piece in free}) < OBJECTS[0] + beside:
        return None
    for _ in range(TRIES):
        canvas, placed = empty.astype(np.float64), []
        taken = np.zeros(empty.shape[:2], bool)
        for piece in (free[k] for k in rng.permutation(len(free))):
            around = cv2.dilate(piece.mask.astype(np.uint8), ROOM).astype(bool)
            if len(placed) == wanted or piece.image in placed or (taken & around).any():
                continue
            shown = spoil(piece, rng) if spoil and (every or not placed) else piece
            canvas = object_faults.put(canvas, shown)
            taken |= around
            placed.append(piece.image)
        if len(placed) >= OBJECTS[0] + beside:
            return canvas.round().clip(0, 255).astype(np.uint8)
    return None


def ghostly(piece: Piece, rng: np.random.Generator) -> Piece:
    """Return a piece as transparent as ghosts are."""
    return object_faults.ghostly(piece, rng.uniform(*OPACITY))


def one_changed(reference: Reference, count: int, seed: int) -> np.ndarray:
    """Return real images with one object more, or one less: new, however little."""
    rng = np.random.default_rng(seed)
    empty, free = salience.empty(reference) * 255, object_faults.of(reference)
    made = []
    for _ in range(count * TRIES if free else 0):
        if len(made) == count:
            break
        k = int(rng.integers(len(reference)))
        pixels, masks = reference.pixels[k], reference.masks[k]
        if rng.random() < 0.5 and len(masks):
            mask = cv2.dilate(masks[rng.integers(len(masks))].astype(np.uint8), ROOM).astype(bool)
            made.append(object_faults.put(pixels, Piece(k, 0, empty, mask)))
            continue
        piece = free[int(rng.integers(len(free)))]
        if piece.image != k and not (piece.mask & masks.any(0)).any():
            made.append(object_faults.put(pixels, piece))
    pictures = np.stack(made) if made else np.empty((0, *reference.pixels.shape[1:]))
    return pictures.round().clip(0, 255).astype(np.uint8)

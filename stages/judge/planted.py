"""Candidates of known verdict, made of real images and their masks: what the judge is tested on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from stages.judge import background, quality
from stages.judge.copies import copies
from stages.judge.reference import Reference, joined

OBJECTS = (2, 3)  # in a recombined picture, each from another image: one alone might be a copy of its own
TRIES = 50  # until as many objects as wanted have found room
GHOST = (0.25, 0.6)  # opacity of a transparent blend
KEPT = (0.3, 0.55)  # share of a cut object's length that stays


@dataclass(frozen=True)
class Piece:
    """One whole object of a real image."""

    image: int
    pixels: np.ndarray  # of its image
    mask: np.ndarray


def planted(reference: Reference, more: Reference, each: int, shift: float, seed: int) -> tuple[np.ndarray, list[str]]:
    """Pictures and their true colours, `each` of every colour; `more` images show what the empty bin looks like."""
    rng = np.random.default_rng(seed)
    empty = (background.empty(joined([reference, more])) * 255).round().astype(np.uint8)
    free = pieces(reference)
    makers: dict[str, Callable[[], np.ndarray]] = {
        "green": lambda: recombined(empty, free, rng),
        "yellow": lambda: recombined(empty, free, rng, ghosts=True),
        "white": lambda: recombined(empty, free, rng, cut=True),
        "red": lambda: copies(reference.pixels[rng.integers(len(reference))], 1, shift, rng)[0],
    }
    pictures, truth = [], []
    for colour, make in makers.items():
        if colour == "red" or free:
            pictures += [make() for _ in range(each)]
            truth += [colour] * each
    return np.stack(pictures), truth


def pieces(reference: Reference) -> list[Piece]:
    """All objects that stand free, so that what is cut out along their masks is whole."""
    return [
        Piece(number, pixels, masks[k])
        for number, (pixels, boxes, masks) in enumerate(
            zip(reference.pixels, reference.boxes, reference.masks, strict=True)
        )
        for k in np.flatnonzero(quality.standing_free(boxes))
        if masks[k].any()
    ]


def recombined(
    empty: np.ndarray, free: list[Piece], rng: np.random.Generator, ghosts: bool = False, cut: bool = False
) -> np.ndarray:
    """Objects of several images in the empty bin, where they were and apart; one a ghost, or all of them cut."""
    wanted = int(rng.integers(OBJECTS[0], OBJECTS[1] + 1)) + ghosts
    for _ in range(TRIES):
        canvas, placed = empty.astype(np.float64), []
        taken = np.zeros(empty.shape[:2], bool)
        for piece in (free[k] for k in rng.permutation(len(free))):
            around = cv2.dilate(piece.mask.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
            if len(placed) == wanted or piece.image in placed or (taken & around).any():
                continue
            mask = _half(piece.mask, rng) if cut else piece.mask
            opacity = rng.uniform(*GHOST) if ghosts and not placed else 1.0
            soft = cv2.GaussianBlur(mask.astype(np.float64), (0, 0), 0.5)[..., None] * opacity
            canvas = canvas * (1 - soft) + piece.pixels * soft
            taken |= around
            placed.append(piece.image)
        if len(placed) >= OBJECTS[0] + ghosts:
            break
    return canvas.round().clip(0, 255).astype(np.uint8)


def haunted(
    pixels: np.ndarray, masks: np.ndarray, free: list[Piece], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray | None]:
    """A real image with another image's object half transparent beside its own, and where; None: there was no room."""
    taken = masks.any(0) if len(masks) else np.zeros(pixels.shape[:2], bool)
    for piece in (free[k] for k in rng.permutation(len(free))[:TRIES]):
        if not (piece.mask & taken).any():
            soft = cv2.GaussianBlur(piece.mask.astype(np.float64), (0, 0), 0.5)[..., None] * rng.uniform(*GHOST)
            return (pixels * (1 - soft) + piece.pixels * soft).round().clip(0, 255).astype(np.uint8), piece.mask
    return pixels, None


def one_changed(reference: Reference, count: int, seed: int) -> np.ndarray:
    """Real images with one object more, or one less: new, however little."""
    rng = np.random.default_rng(seed)
    empty, free = background.empty(reference) * 255, pieces(reference)
    made = []
    for _ in range(count * TRIES if free else 0):
        if len(made) == count:
            break
        k = int(rng.integers(len(reference)))
        pixels, masks = reference.pixels[k].astype(np.float64), reference.masks[k]
        if rng.random() < 0.5 and len(masks):
            mask = cv2.dilate(masks[rng.integers(len(masks))].astype(np.uint8), np.ones((5, 5), np.uint8))
            soft = cv2.GaussianBlur(mask.astype(np.float64), (0, 0), 0.7)[..., None]
            made.append(pixels * (1 - soft) + empty * soft)
            continue
        piece = free[int(rng.integers(len(free)))]
        if piece.image != k and not (piece.mask & masks.any(0)).any():
            soft = cv2.GaussianBlur(piece.mask.astype(np.float64), (0, 0), 0.5)[..., None]
            made.append(pixels * (1 - soft) + piece.pixels * soft)
    pictures = np.stack(made) if made else np.empty((0, *reference.pixels.shape[1:]))
    return pictures.round().clip(0, 255).astype(np.uint8)


def _half(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The part of a mask that is left when it is cut across its length."""
    ys, xs = np.nonzero(mask)
    points = np.stack([xs, ys], 1) - (xs.mean(), ys.mean())
    along = points @ np.linalg.svd(points, full_matrices=False)[2][0] if len(points) > 1 else points[:, 0]
    along = along if rng.random() < 0.5 else -along
    kept = along <= np.quantile(along, rng.uniform(*KEPT))
    half = np.zeros_like(mask)
    half[ys[kept], xs[kept]] = True
    return half

"""Single objects cut out of real images, put into other pictures whole, or spoilt as generators spoil them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from stages.judge.reference import Reference

# What the judge's detector learns as classes of their own: what is transparent or smeared, and what is cut.
GHOST, PART = "ghost", "part"
FAULTS = (GHOST, PART)

APART = 0.01  # of the side: objects nearer than this may hide each other
KEPT = (0.3, 0.55)  # share of a cut object's length that stays
WARP = (0.02, 0.08)  # of the side: how far a smeared object is bent …
BLUR = (0.02, 0.06)  # … and blurred
EVEN = 5.0  # of a mixture's weights: the higher, the more alike they are
FAINTEST = 0.1  # weight under which nothing of a picture shows in a mixture
SOFT = (0.003, 0.018)  # of the side: how far a mixture is blurred
CONTRAST = (1.0, 2.2)
EDGE = 0.5  # pixels over which a piece's edge fades


@dataclass(frozen=True)
class Piece:
    """One object, in a picture as large as the image that it is from."""

    image: int  # its place in the reference
    number: int  # its class
    pixels: np.ndarray  # (size, size, 3) uint8
    mask: np.ndarray  # (size, size) bool
    opacity: float = 1.0


def standing_free(boxes: np.ndarray) -> np.ndarray:
    """Return which boxes come near no other one and not to the picture's edge."""
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:4]
    meet = np.maximum(low[:, None], low[None]) < np.minimum(high[:, None], high[None]) + APART
    return (meet.all(-1).sum(1) == 1) & (low > APART).all(1) & (high < 1 - APART).all(1)


def of(reference: Reference) -> list[Piece]:
    """Return all objects that stand free, so that what is cut out along their masks is whole."""
    parts = zip(reference.pixels, reference.boxes, reference.classes, reference.masks, strict=True)
    return [
        Piece(image, int(classes[k]), pixels, masks[k])
        for image, (pixels, boxes, classes, masks) in enumerate(parts)
        for k in np.flatnonzero(standing_free(boxes))
        if masks[k].any()
    ]


def put(canvas: np.ndarray, piece: Piece) -> np.ndarray:
    """Return the canvas (float or uint8) with the piece on it, as float."""
    soft = cv2.GaussianBlur(piece.mask.astype(np.float64), (0, 0), EDGE)[..., None] * piece.opacity
    return canvas * (1 - soft) + piece.pixels * soft


def ghostly(piece: Piece, opacity: float) -> Piece:
    """Return a piece half transparent."""
    return replace(piece, opacity=opacity)


def cut(piece: Piece, rng: np.random.Generator) -> Piece:
    """Return the part of a piece that is left when it is cut across its length."""
    ys, xs = np.nonzero(piece.mask)
    points = np.stack([xs, ys], 1) - (xs.mean(), ys.mean())
    along = points @ np.linalg.svd(points, full_matrices=False)[2][0] if len(points) > 1 else points[:, 0]
    along = along if rng.random() < 0.5 else -along
    kept = along <= np.quantile(along, rng.uniform(*KEPT))
    left = np.zeros_like(piece.mask)
    left[ys[kept], xs[kept]] = True
    return replace(piece, mask=left)


def smeared(piece: Piece, rng: np.random.Generator) -> Piece:
    """Return a piece bent and blurred until it is a blob of its colours."""
    sigma = rng.uniform(*BLUR) * len(piece.mask)
    inside = piece.mask.astype(np.float32)
    weight = cv2.GaussianBlur(inside, (0, 0), sigma)  # only the object's own colours run into each other
    colours = cv2.GaussianBlur(piece.pixels * inside[..., None], (0, 0), sigma) / np.maximum(weight, 1e-3)[..., None]
    pixels, mask = _bent([colours, cv2.GaussianBlur(inside, (0, 0), sigma / 2)], rng)
    return replace(piece, pixels=pixels.clip(0, 255).astype(np.uint8), mask=mask > 0.5)


def mixed(
    pictures: list[np.ndarray], masks: list[np.ndarray], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return several pictures shining through each other, blurred and in stronger contrast, as generators average.

    Beside it, the masks (k, size, size) of all their objects, which are bent and none of them whole any more.
    """
    weights = rng.dirichlet(np.full(len(pictures), EVEN))
    canvas, ghosts = np.zeros(pictures[0].shape), []
    for pixels, objects, weight in zip(pictures, masks, weights, strict=True):
        bent, *moved = _bent([pixels, *objects.astype(np.float32)], rng)
        canvas += weight * bent
        ghosts += [mask > 0.5 for mask in moved] if weight > FAINTEST else []
    middle = np.median(canvas, axis=(0, 1))
    canvas = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(*SOFT) * len(canvas))
    canvas = (canvas - middle) * rng.uniform(*CONTRAST) + middle
    return canvas.round().clip(0, 255).astype(np.uint8), np.array(ghosts, bool).reshape(-1, *canvas.shape[:2])


def _bent(parts: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """Return a picture and its objects' masks, bent where the objects are: a bent bin would give the rest away."""
    size = len(parts[0])
    bend = [cv2.GaussianBlur(rng.normal(0, 1, (size, size)), (0, 0), size / 16) for _ in range(2)]
    there = cv2.GaussianBlur(np.maximum.reduce([parts[0][..., 0] * 0.0, *parts[1:]]), (0, 0), size / 32).clip(0, 1)
    by = [(of_ / np.abs(of_).max() * rng.uniform(*WARP) * size * there).astype(np.float32) for of_ in bend]
    ys, xs = np.mgrid[:size, :size].astype(np.float32)
    return [
        cv2.remap(part.astype(np.float32), xs + by[0], ys + by[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for part in parts
    ]

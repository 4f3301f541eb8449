"""How far a picture is from the nearest training image, however that is shifted or flipped.

Pictures are compared without their mean colour, tile by tile: the distance is that of the worst tile, because a picture
with one object more is new although nearly all of it is known. Distances are in shares of full brightness.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

SIDE = 64  # pixels at which shifts are tried …
SMOOTH = 2  # … and so many are averaged before squares are taken: noise is no difference
TILE = 8  # pixels of SIDE
ROUGH = 16  # pixels at which the best flip and shift are first sought
COARSE = 16  # pixels at which the shortlist is made …
REACH = 2  # … and so many of them a picture may have moved
FLIPS = ((), (3,), (2,), (2, 3))  # axes
PROMISING = 2  # rough flips and shifts that are then tried to the pixel
BLOCK = 512  # pairs compared at once …
ROOM = 2**23  # … and distances held at once: what bounds the memory


@dataclass(frozen=True)
class Nearest:
    """The place of the training image that each picture is nearest to, and its distance."""

    place: np.ndarray
    distance: np.ndarray


def prepared(pixels: np.ndarray, side: int = SIDE) -> Tensor:
    """Return uint8 RGB (n, s, s, 3) as (n, 3, side, side) in shares of full brightness, without the mean colour."""
    small = [cv2.resize(one, (side, side), interpolation=cv2.INTER_AREA) for one in pixels]
    tensor = torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2).float() / 255
    return tensor - tensor.mean((2, 3), keepdim=True)


def nearest(pixels: np.ndarray, training: np.ndarray, shift: float, shortlist: int) -> Nearest:
    """Return the training image that each picture is nearest to. Flips and shifts are tried at a coarse size, then the
    full distance to the best few."""
    few = coarsely_nearest(prepared(pixels, COARSE), prepared(training, COARSE), min(shortlist, len(training)))
    a, b = prepared(pixels), prepared(training)
    pairs = torch.arange(len(a)).repeat_interleave(few.shape[1])
    full = distances(a[pairs], b[few.flatten()], shift).view(few.shape)
    best = full.argmin(1, keepdim=True)
    return Nearest(few.gather(1, best)[:, 0].numpy(), full.gather(1, best)[:, 0].numpy())


def coarsely_nearest(a: Tensor, b: Tensor, count: int) -> Tensor:
    """Return the places (n, count) of the training images that are nearest when flipped and moved by a few pixels."""
    padded, places = pad(b, (REACH,) * 4, mode="replicate"), range(2 * REACH + 1)
    moved = [padded[:, :, y : y + COARSE, x : x + COARSE] for y in places for x in places]
    variants = torch.stack([(m.flip(axes) if axes else m).flatten(1) for m in moved for axes in FLIPS], 1)
    return ranked(a.flatten(1), variants, count)


def ranked(a: Tensor, variants: Tensor, count: int) -> Tensor:
    """Return the places (n, count) of the images of which a variant (m, v, d) is nearest to each of `a` (n, d),
    exactly.

    A block of `a` at a time, as one matrix product: |a - b|² ranks as |b|² - 2 ab, and memory stays bounded.
    """
    known = variants.flatten(0, 1)
    square, block = known.square().sum(1), max(1, ROOM // len(known))
    chosen = []
    for start in range(0, len(a), block):
        apart = torch.addmm(square, a[start : start + block], known.T, alpha=-2)
        best = apart.view(len(apart), *variants.shape[:2]).amin(2)
        chosen.append(best.topk(count, largest=False).indices)
    return torch.cat(chosen)


def distances(a: Tensor, b: Tensor, shift: float) -> Tensor:
    """Return each pair's distance at the flip and shift, up to a share of the side, that make it least."""
    return torch.cat([_block(a[k : k + BLOCK], b[k : k + BLOCK], shift) for k in range(0, len(a), BLOCK)])


def _block(a: Tensor, b: Tensor, shift: float) -> Tensor:
    """Return the distance of each picture of `a` from its partner in `b`. Flip and shift are sought roughly on the
    whole picture, then to the pixel on its worst tile."""
    step, most = SIDE // ROUGH, round(SIDE * shift)
    rough_most = math.ceil(most / step)
    small_a, small_b = (avg_pool2d(x, step) for x in (a, b))
    reach = range(-rough_most, rough_most + 1)
    tried = [(axes, dy, dx) for axes in FLIPS for dy in reach for dx in reach]
    rough = torch.stack([
        _overlap(small_a, small_b.flip(axes) if axes else small_b, dy, dx).square().mean((1, 2, 3))
        for axes, dy, dx in tried
    ])  # fmt: skip
    best, chosen = torch.full((len(a),), torch.inf), rough.topk(PROMISING, 0, largest=False).indices
    for number in chosen.unique():
        axes, dy, dx = tried[number]
        mine = (chosen == number).any(0)
        here, there = _smooth(a[mine]), _smooth(b[mine].flip(axes) if axes else b[mine])
        least = best[mine]
        for y in range(max(-most, dy * step - step + 1), min(most, dy * step + step - 1) + 1):
            for x in range(max(-most, dx * step - step + 1), min(most, dx * step + step - 1) + 1):
                apart = _smooth_overlap(here, y, x) - _smooth_overlap(there, -y, -x)
                squares = apart.square_().sum(1, keepdim=True)
                least = torch.minimum(least, avg_pool2d(squares, TILE // SMOOTH).amax((1, 2, 3)) / a.shape[1])
        best[mine] = least
    return best.sqrt()


def _overlap(a: Tensor, b: Tensor, dy: int, dx: int) -> Tensor:
    """Return the difference where both pictures are, when `b` is moved by `dy` and `dx`."""
    side = a.shape[-1]
    mine = a[:, :, max(0, dy) : side + min(0, dy), max(0, dx) : side + min(0, dx)]
    return mine - b[:, :, max(0, -dy) : side - max(0, dy), max(0, -dx) : side - max(0, dx)]


def _smooth(pictures: Tensor) -> dict[tuple[int, int], Tensor]:
    """Return pictures (n, c, s, s) averaged over squares that begin at even or odd rows and columns."""
    return {(y, x): avg_pool2d(pictures[:, :, y:, x:], SMOOTH) for y in range(SMOOTH) for x in range(SMOOTH)}


def _smooth_overlap(of: dict[tuple[int, int], Tensor], dy: int, dx: int) -> Tensor:
    """Return the averages of what is left of pictures on which others lie, moved so many pixels down and across."""
    top, left = max(0, dy), max(0, dx)
    height, width = ((SIDE - abs(by)) // SMOOTH for by in (dy, dx))
    y, x = top // SMOOTH, left // SMOOTH
    return of[top % SMOOTH, left % SMOOTH][:, :, y : y + height, x : x + width]

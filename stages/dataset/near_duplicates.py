"""Which photographs are the same picture twice, or nearly: found by perceptual hash, confirmed tile by tile."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from stages.settings import Split

THUMB, TILE = 32, 4  # the side of the grey thumbnail, and of the tiles it is compared by
BLOCK = 2048  # rows compared at once, so that memory stays bounded for any number of pictures

Traits = tuple[np.uint64, np.ndarray]  # what a picture is compared by: perceptual hash and thumbnail


def traits(pixels: np.ndarray) -> Traits:
    """Return the 64-bit perceptual hash (signs of the low frequencies) and the grey thumbnail of an RGB picture."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    thumb = cv2.resize(grey, (THUMB, THUMB), interpolation=cv2.INTER_AREA)
    low = cv2.dct(thumb.astype(np.float32))[:8, :8].ravel()
    bits = low > np.median(low[1:])
    return np.packbits(bits).view(np.uint64)[0], thumb


def alike(pictures: Sequence[Traits], near: Split) -> list[list[int]]:
    """Return the places of pictures that are nearly the same by a rule, as lists of two or more."""
    if len(pictures) < 2:
        return []
    hashes, thumbs = zip(*pictures, strict=True)
    return clusters(np.array(hashes), np.stack(thumbs), near.hash_distance, near.tile_distance)


def clusters(hashes: np.ndarray, thumbs: np.ndarray, hash_distance: int, tile_distance: float) -> list[list[int]]:
    """Return groups (of two or more positions) that are linked by pairs within both distances."""
    label = np.arange(len(hashes))  # of each picture: those that are linked have the same
    tiles, means = _tiled(thumbs), thumbs.mean((1, 2), dtype=np.float32)
    for start in range(0, len(hashes), BLOCK):
        rows = hashes[start : start + BLOCK]
        for other in range(start, len(hashes), BLOCK):
            distance = np.bitwise_count(rows[:, None] ^ hashes[None, other : other + BLOCK])
            a, b = np.nonzero(distance <= hash_distance)
            pairs = np.stack([a + start, b + other], 1)[a + start < b + other]
            for first in range(0, len(pairs), BLOCK):
                some = pairs[first : first + BLOCK]
                # Pictures that are linked already need no comparing: of equal ones there are as many pairs as squared.
                some = some[label[some[:, 0]] != label[some[:, 1]]]
                if len(near := _near(some, tiles, means, tile_distance)):
                    label = _linked(label, near)
    found: dict[int, list[int]] = {}
    for position, name in enumerate(label.tolist()):
        found.setdefault(name, []).append(position)
    return [members for members in found.values() if len(members) > 1]


def _linked(label: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return the labels after linking more pairs of positions."""
    links = coo_array((np.ones(len(pairs), bool), (label[pairs[:, 0]], label[pairs[:, 1]])), shape=(len(label),) * 2)
    return connected_components(links, directed=False)[1][label]


def _tiled(thumbs: np.ndarray) -> np.ndarray:
    """Return thumbnails as tiles (tile, picture, pixel), those first in which the pictures differ most."""
    across = THUMB // TILE
    tiles = thumbs.reshape(-1, across, TILE, across, TILE).transpose(1, 3, 0, 2, 4).reshape(across**2, -1, TILE**2)
    spread = tiles.std(1, dtype=np.float32).max(1) if len(thumbs) else np.zeros(len(tiles))
    return tiles[np.argsort(-spread, kind="stable")]


def _near(pairs: np.ndarray, tiles: np.ndarray, means: np.ndarray, most: float) -> np.ndarray:
    """Return the pairs of pictures of which no tile differs by more than `most` of full brightness, on average over its
    pixels, after taking out each picture's own mean.

    One object more or less changes few tiles much, which a mean over the whole picture would not see. A pair is done
    with at the first tile that differs: of pictures with one hash there are as many pairs as squared.
    """
    shift = np.subtract(*means[pairs.T])
    for tile in tiles:
        a, b = tile[pairs.T].astype(np.float32)
        near = np.abs(a - b - shift[:, None]).mean(1) <= most * 255
        pairs, shift = pairs[near], shift[near]
    return pairs

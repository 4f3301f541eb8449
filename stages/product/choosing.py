"""Which photographs to annotate next: those in which most mistakes are expected, no two of them alike."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

PATCHES = 8  # a photograph from afar: so many patches of colour a side


def afar(pixels: np.ndarray) -> np.ndarray:
    """Return how a photograph looks from afar (PATCHES, PATCHES, 3; 0 to 1): its light, its bin, where much lies."""
    return cv2.resize(pixels, (PATCHES, PATCHES), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def chosen(doubts: Sequence[float], looks: Sequence[np.ndarray], same: list[list[int]], count: int) -> list[int]:
    """Return the places of the photographs to annotate, the most urgent first: `count` of them, or all that differ.

    The first is the one in most doubt. Each further one has the highest product of its doubt and of how unlike it is to
    the most similar one that is chosen already. Of near-duplicates (`same`: lists of places) one alone is taken, the
    one in most doubt.
    """
    doubt, look = np.asarray(doubts, float), np.stack(looks).reshape(len(looks), -1)
    left = np.ones(len(doubt), bool)
    for cluster in same:
        left[cluster] = False
        left[max(cluster, key=lambda place: doubt[place])] = True
    picks: list[int] = []
    unlike = np.ones(len(doubt))
    while left.any() and len(picks) < count:
        # Where nothing is in doubt, being unlike the others decides.
        order = np.lexsort((np.arange(len(doubt))[::-1], unlike, doubt * unlike, left))
        picks.append(int(order[-1]))
        left[picks[-1]] = False
        apart = np.abs(look - look[picks[-1]]).mean(1)
        unlike = apart if len(picks) == 1 else np.minimum(unlike, apart)
    return picks

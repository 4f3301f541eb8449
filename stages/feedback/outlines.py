"""Outlines of objects of which a box is known: those of annotated objects, turned and stretched into the box.

GrabCut alone loses parts of objects and takes in what they touch, so that the box around what it finds is a worse one
than the box that it was given. It tells well enough which of the annotated outlines lies there, and which way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from stages.extract import object_mask
from stages.extract.cutouts import SegmentedImage

SIDE = 32  # of the square in which outlines are compared, each stretched to fill it
TURNS = 24  # of each annotated outline, and of its mirror image


@dataclass(frozen=True)
class Outlines:
    """Annotated outlines of one class in all turns: corners in shares of their box, its sides, and what is inside."""

    corners: list[np.ndarray]  # (n, 2) each
    sides: np.ndarray  # (k, 2), as shares of the picture's width
    inside: np.ndarray  # (k, SIDE, SIDE)


def known(scenes: Sequence[SegmentedImage]) -> dict[int, Outlines]:
    """Return the outlines of all annotated objects, by category."""
    found: dict[int, list[np.ndarray]] = {}
    for scene in scenes:
        for mask, category in zip(scene.masks, scene.categories, strict=True):
            corners = object_mask.contour(mask) / mask.shape[1]
            if len(corners):
                found.setdefault(category, []).extend(turns(corners))
    return {category: filled(of) for category, of in found.items()}


def turns(corners: np.ndarray) -> list[np.ndarray]:
    """Return an outline and its mirror image in all turns."""
    made = []
    for angle in np.arange(TURNS) * 2 * np.pi / TURNS:
        turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
        made += [corners @ turn, corners * (-1, 1) @ turn]
    return made


def filled(outlines: list[np.ndarray]) -> Outlines:
    """Return outlines stretched into the unit square, with what they were stretched from."""
    sides = np.array([np.ptp(of, 0) for of in outlines])
    corners = [(of - of.min(0)) / side for of, side in zip(outlines, sides, strict=True)]
    inside = np.zeros((len(corners), SIDE, SIDE), np.uint8)
    for picture, of in zip(inside, corners, strict=True):
        cv2.fillPoly(picture, [np.round(of * (SIDE - 1)).astype(np.int32)], 1)
    return Outlines(corners, sides, inside.astype(bool))


def fitted(box: tuple[float, ...], width: int, seen: np.ndarray, of: Outlines) -> np.ndarray:
    """Return the outline (n, 2) that fits a box in a picture of this width best: least stretched, of much the size of
    the annotated ones, and where `seen`, a mask of the box, says that the object is."""
    x, y, *sides = box
    there = cv2.resize(seen.astype(np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_AREA) > 0
    overlap = (of.inside & there).sum((1, 2)) / np.maximum((of.inside | there).sum((1, 2)), 1)
    across, down = np.log(np.array(sides) / width / of.sides).T
    cost = abs(across - down) + abs(across + down) / 2  # of a stretch, and of another size, by a factor of e: 1
    return (x, y) + of.corners[int(np.argmax(overlap - cost))] * sides

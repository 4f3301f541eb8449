"""Empty bins to place objects in, and what fills an object's place, each by the folder that it comes from: the subset's
own, models/texture/<name>, models/inpaint/<name>."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from stages import paths
from stages.extract import empty_bin
from stages.extract.cutouts import SegmentedImage
from stages.extract.empty_bin import Backgrounds
from stages.inpaint.classical import Filler

if TYPE_CHECKING:
    from stages.texture.paint import Paint

BROAD = 0.08  # of the width: what is broader than this is a bin's light, what is finer its texture
RIM = 0.03  # of the width, over which a painted floor becomes the photographed one
RING = 31  # pixels: what lies so far around a hole tells its light …
LIKE = 0.2  # … but not what differs by more than this from the whole picture's light: another object …
GLOW = 9  # … nor what lies so near to such a thing that it has its colour
DARK = 1e-3  # of the light: no part of the bin is darker
FAR = 0.03  # of the width: how far light is carried into a hole
FAINT = 1e-6  # weight of the whole picture's light, which is all that counts farther in


def bins(source: Path | None, own: Backgrounds, found: list[SegmentedImage]) -> Backgrounds:
    """Return the empty bins of some images (`own`), as the model `source` makes them; as they are, where it is None."""
    if source is None:
        return own
    from stages.inpaint.fill import filler as inpainter  # and torch, which takes seconds
    from stages.texture.paint import painter

    if source.parent == paths.TEXTURES:
        return textured(own, empty_bin.region(found), painter(source))
    return emptied(own, found, inpainter(source))


def filler(source: Path | None, found: list[SegmentedImage]) -> Filler:
    """Return what fills the place of an object taken from one of these images: the network `source`, or a median."""
    if source is None:
        return median(found)
    from stages.inpaint.fill import filler as inpainter

    return inpainter(source)


def textured(own: Backgrounds, region: np.ndarray, paint: Paint) -> Backgrounds:
    """Return the same bins, each with another painted floor where objects lie, in the light that was there."""
    height, width = region.shape
    share = (cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 5) / (RIM * width)).clip(0, 1)[..., None]

    def broad(picture: np.ndarray) -> np.ndarray:
        weight = cv2.GaussianBlur(region.astype(np.float32), (0, 0), BROAD * width)[..., None] + FAINT
        return cv2.GaussianBlur(picture * region[..., None].astype(np.float32), (0, 0), BROAD * width) / weight

    def floored(picture: np.ndarray, seed: int) -> np.ndarray:
        painted = paint(height, width, seed).astype(np.float32)
        lit = painted / broad(painted).clip(1) * broad(picture)
        return (picture + share * (lit - picture)).clip(0, 255).round().astype(np.uint8)

    return replace(own, pictures=[floored(picture, seed) for seed, picture in enumerate(own.pictures)])


def emptied(own: Backgrounds, found: list[SegmentedImage], fill: Filler) -> Backgrounds:
    """Return the same bins, but the places of objects in each photographed one are filled by `fill`."""
    like = [scene for scene in found if scene.pixels.shape == own.pictures[0].shape][: len(own.pictures) - 1]
    return replace(own, pictures=[own.pictures[0], *(fill(scene.pixels, empty_bin.around(scene)) for scene in like)])


def median(found: list[SegmentedImage]) -> Filler:
    """Return a filler that takes these images' empty bin, their median, in the light around the hole."""
    shapes = {scene.pixels.shape for scene in found}
    empty = {
        shape: empty_bin.seen([scene for scene in found if scene.pixels.shape == shape]).middle for shape in shapes
    }
    return lambda image, hole: _in_light(image, hole, empty[image.shape])


def _in_light(image: np.ndarray, hole: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """Return the empty bin in a hole as bright in each colour as the image is around it: light falls off across a
    bin."""
    empty = empty.clip(DARK)
    usual = np.median(image[~hole] / empty[~hole], axis=0)
    other = ~hole & (np.abs(image / empty / usual - 1) > LIKE).any(-1)
    around = _wider(hole, RING) & ~hole & ~_wider(other, GLOW)
    weights = around[..., None].astype(np.float32)
    ours, theirs = (cv2.GaussianBlur(of * weights, (0, 0), FAR * hole.shape[1]) for of in (image, empty))
    lit = empty * (ours + FAINT * usual) / (theirs + FAINT)
    return np.where(hole[..., None], lit.clip(0, 255).round(), image).astype(np.uint8)


def _wider(mask: np.ndarray, window: int) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), np.ones((window, window), np.uint8)).astype(bool)

"""Empty bins, made of images that all show objects; and how much of these is left in them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import cv2
import numpy as np

from stages.extract.cutouts import SegmentedImage
from stages.problem import Problem

MARGIN = 0.045  # of the width: how far shadows reach beyond an object
MOST = 40  # images a median is taken of: more take memory and show no more
SOFT = 3.0  # pixels over which a filled place fades into its image
NEARBY = 0.08  # of the width: how far around objects ghosts are looked for
RING = 15  # pixels around a filled place, in which it must fit
TYPICAL = 2.0  # times the usual difference from there: what differs more is an edge, and no light
FEW = 10  # objects, too few to show where objects lie
LEAST = 0.05  # of the frame that must be seen bare in one image or another


@dataclass(frozen=True)
class Backgrounds:
    """Pictures of the empty bin."""

    pictures: list[np.ndarray]  # (height, width, 3) uint8: the median, then each image with its objects filled in
    light: list[np.ndarray]  # (3,) of each: how bright it is


@dataclass(frozen=True)
class Bin:
    """What the images of one size show of their bin, in shares of the light that lay on it."""

    lights: list[np.ndarray]  # (3,) of each image
    even: np.ndarray  # (n, height, width, 3): the images in that light
    bare: np.ndarray  # (n, height, width) bool: where they show no object, nor its shadow
    middle: np.ndarray  # (height, width, 3): the median of what is bare
    holes: np.ndarray  # (height, width) bool: where nothing is, and the median is inpainted

    @property
    def unseen(self) -> float:
        """Return the share of the frame that no image shows bare, which is inpainted."""
        return float(self.holes.mean())


def seen(found: list[SegmentedImage]) -> Bin:
    """Return the bin as the images of the first one's size show it."""
    size = found[0].pixels.shape
    used = [scene for scene in found if scene.pixels.shape == size][:MOST]
    bare = np.stack([~around(scene) for scene in used])
    if bare.any(0).mean() < LEAST:
        raise Problem(f"{used[0].name} and its like: the background is visible almost nowhere, so none can be made")
    lights = [light(scene) for scene in used]
    even = np.stack([scene.pixels / lit for scene, lit in zip(used, lights, strict=True)]).astype(np.float32)
    return Bin(lights, even, bare, *_median(even, bare))


def backgrounds(found: list[SegmentedImage]) -> Backgrounds:
    """Return the median over images of one size, without their objects, in each image's own brightness."""
    of = seen(found)
    lights, even, bare, middle = of.lights, of.even, of.bare, of.middle
    usual = np.median(lights, axis=0)
    pictures = [(middle * usual).clip(0, 255).astype(np.uint8)]
    pictures += [(_filled(k, even, bare, middle) * lit).clip(0, 255).astype(np.uint8) for k, lit in enumerate(lights)]
    return Backgrounds(pictures, [usual, *lights])


def _filled(k: int, even: np.ndarray, bare: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Return an image with each of its hidden places taken from the image that shows it bare and fits best around it.

    A median is smoother than any image, and where it fills a hole one sees the hole.
    """
    made = even[k].copy()
    count, labels, places, _ = cv2.connectedComponentsWithStats((~bare[k]).astype(np.uint8))
    for label in range(1, count):
        left, top, width, height = places[label, :4]
        part = slice(max(0, top - RING), top + height + RING), slice(max(0, left - RING), left + width + RING)
        own, seen, place = even[k][part], bare[k][part], labels[part] == label
        around = cv2.dilate(place.astype(np.uint8), np.ones((RING, RING), np.uint8)).astype(bool) & seen
        fitting = [even[n][part] for n in range(len(even)) if n != k and bare[n][part][place].all()]
        fills = [donor + _spread(own - donor, around) for donor in fitting or [middle[part]]]
        errors = [np.abs(own - fill)[around].mean() if around.any() else 0.0 for fill in fills]
        soft = cv2.GaussianBlur(place.astype(np.float32), (0, 0), SOFT)[..., None]
        soft[place] = 1
        made[part] += soft * (fills[int(np.argmin(errors))] - made[part])
    return made


def _spread(apart: np.ndarray, around: np.ndarray) -> np.ndarray:
    """Return how much lighter a place must be (h, w, 3), smoothly over it, to fit its surroundings (`around`; bool),
    where it is `apart` from them by so much.

    One number for the whole place would leave a faint patch, where the light falls off across it.
    """
    if not around.any():
        return np.zeros_like(apart)
    middle = np.median(apart[around], axis=0)  # a wall's edge beside the place is no difference of light
    rest = (apart - middle) * around[..., None]
    usual = TYPICAL * np.median(np.abs(rest[around]), axis=0)
    reach = max(apart.shape[:2]) / 4
    weight = cv2.GaussianBlur(around.astype(np.float32), (0, 0), reach)[..., None]
    shared = cv2.GaussianBlur(rest.clip(-usual, usual).astype(np.float32), (0, 0), reach)
    return (middle + shared / np.maximum(weight, 1e-6)).astype(np.float32)


def region(found: list[SegmentedImage]) -> np.ndarray:
    """Return (height, width; bool) the hull of all places where objects lie, in the images of the first one's size.

    Few objects lie in few places: then each may also be turned where it lies.
    """
    shape = found[0].pixels.shape[:2]
    masks = [mask for scene in found if scene.pixels.shape[:2] == shape for mask in scene.masks]
    covered = np.any(masks, axis=0).astype(np.uint8)
    if len(masks) < FEW:
        for mask in masks:
            (x, y), radius = cv2.minEnclosingCircle(cv2.findNonZero(mask.astype(np.uint8)))
            cv2.circle(covered, (round(x), round(y)), int(np.ceil(radius)) + 2, 1, -1)
    hull = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(cv2.findNonZero(covered)), 1)
    return hull.astype(bool)


def around(scene: SegmentedImage) -> np.ndarray:
    """Return where an object or its shadow may be."""
    reach = 2 * round(MARGIN * scene.pixels.shape[1]) + 1
    return cv2.dilate(scene.hidden.astype(np.uint8), np.ones((reach, reach), np.uint8)).astype(bool)


def light(scene: SegmentedImage) -> np.ndarray:
    """Return the middle brightness of each colour where the bin is bare."""
    clear = ~around(scene)
    return np.median(scene.pixels[clear] if clear.any() else scene.pixels.reshape(-1, 3), axis=0).clip(1)


def _median(even: np.ndarray, bare: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the median over the images that show a pixel bare, and holes, where none does; these are inpainted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        middle = np.nanmedian(np.where(bare[..., None], even, np.nan), axis=0)
    holes = ~np.any(bare, axis=0)
    if holes.any():
        top = float(np.nanmax(middle))
        picture = (np.nan_to_num(middle) / top * 255).round().astype(np.uint8)
        filled = cv2.inpaint(picture, holes.astype(np.uint8), 5, cv2.INPAINT_TELEA) / 255 * top
        middle = np.where(holes[..., None], filled, middle)
    return middle.astype(np.float32), holes


def ghost(of: Bin) -> float:
    """Return the share of the detail where objects lay, and close by, that the images' median still shows.

    The bin's own pattern is part of it, so of the objects it is less.
    """
    middle, even, bare = of.middle, of.even, of.bare
    reach = 2 * round(NEARBY * even.shape[2]) + 1
    left, there = 0.0, 1e-9
    for image, clear in zip(even, bare, strict=True):
        near = cv2.dilate((~clear).astype(np.uint8), np.ones((reach, reach), np.uint8)).astype(bool)
        own, over = _detail(image)[near], _detail(middle)[near]
        left, there = left + float((own * over).sum()), there + float((own**2).sum())
    return max(0.0, left / there)


def _detail(picture: np.ndarray) -> np.ndarray:
    """Return what is finer than an object's size."""
    return picture - cv2.GaussianBlur(picture, (0, 0), NEARBY * picture.shape[1])

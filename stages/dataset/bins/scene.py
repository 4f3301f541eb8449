"""What a photograph shows: which objects lie where, over what, in which light. No pixels yet.

Lengths are shares of the photograph's width; x runs right, y down, z up from the bin's floor towards the camera.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from stages.dataset.bins.catalog import PRODUCTS, SHAPES

FOCAL = 1.35  # so much is the width of what the camera sees, at a distance of 1
WALL = 0.24  # height of the bin's rim above the floor
FLOOR = (0.76, 0.395)  # the floor's width and depth
GRID = 160  # columns of the coarse picture in which hiding is estimated while objects are placed
SEEN = 0.4  # the least share of any object that placing aims to leave visible


@dataclass(frozen=True)
class Pose:
    """How one object lies."""

    product: str
    x: float
    y: float
    z: float  # of its axis (lying) or its foot (standing)
    heading: float  # radians, of the axis in the plane of the floor
    tilt: float  # radians, by which the axis rises
    roll: float  # radians about the axis: which side of the label is up
    standing: bool


@dataclass(frozen=True)
class Crate:
    """What a bin is made of. Colours are shares of full brightness: red, green, blue."""

    belt: tuple[float, float, float]  # on which it stands
    floor: tuple[float, float, float]
    lip: tuple[float, float, float]
    rim: tuple[float, float, float]
    wall: tuple[float, float, float]  # relative to the shade that its side has
    rib: tuple[float, float, float]  # likewise
    wear: float  # strength of stains and grain, relative to the built-in bin's
    seed: int  # of its scratches


@dataclass(frozen=True)
class Station:
    """Where photographs are taken: the bin, how high the camera hangs, and the range of its light."""

    crate: Crate
    camera: float = 1.35  # above the floor
    lean: float = 0.4  # standard deviation of the lamp's direction from straight above
    brightness: tuple[float, float] = (0.84, 1.14)
    ambient: tuple[float, float] = (0.5, 0.62)
    warmth: float = 0.0  # more red and less blue, on average


GREY = Crate(
    belt=(0.17, 0.175, 0.185), floor=(0.535, 0.54, 0.55), lip=(0.63, 0.635, 0.645), rim=(0.3, 0.305, 0.315),
    wall=(1.0, 1.005, 1.02), rib=(0.84, 0.84, 0.86), wear=1.0, seed=7,
)  # fmt: skip
BLUE = Crate(
    belt=(0.36, 0.35, 0.33), floor=(0.25, 0.36, 0.52), lip=(0.3, 0.45, 0.7), rim=(0.15, 0.22, 0.36),
    wall=(0.55, 0.75, 1.15), rib=(0.46, 0.63, 0.97), wear=1.6, seed=11,
)  # fmt: skip
HOME = Station(GREY)
# Stations that differ from the built-in one in one respect each: what a detector meets after it has been trained.
SHIFTED = {
    "other_bin": Station(BLUE),
    "other_light": Station(GREY, lean=1.1, brightness=(0.5, 0.75), ambient=(0.3, 0.4), warmth=0.1),
    "other_height": Station(GREY, camera=1.75),
}


@dataclass(frozen=True)
class Light:
    """One photograph's light and camera."""

    direction: tuple[float, float, float]  # towards the lamp, of length 1
    ambient: float
    gain: tuple[float, float, float]  # red, green, blue
    slope: tuple[float, float]  # brightness gained across the width and the height
    noise: float  # standard deviation of a pixel, of full brightness
    blur: float  # standard deviation of the lens's blur, as a share of the width
    shift: tuple[float, float]  # where the bin stands under the camera …
    turn: float  # … and by how many radians it is turned
    flip: tuple[bool, bool]  # which way round the bin stands
    station: Station = HOME

    def scale(self, z: float | np.ndarray) -> float | np.ndarray:
        """Return how long a share of the width at a height is in the photograph."""
        return FOCAL / (self.station.camera - z)


@dataclass(frozen=True)
class Scene:
    objects: tuple[Pose, ...]  # from the lowest to the topmost
    light: Light


def plan(
    products: tuple[str, ...], count: int, aspect: float, rng: np.random.Generator, station: Station = HOME
) -> Scene:
    """Place `count` objects of `products` in the bin, later ones on top where they meet earlier ones."""
    light = _light(rng, station)
    placed: list[Pose] = []
    masks: list[np.ndarray] = []
    for _ in range(count):
        product = products[rng.integers(len(products))]
        # Some objects look for a free place, as a person filling the bin would leave one; the others fall anywhere.
        limit = 0.03 if rng.random() < 0.55 else 0.6
        best: tuple[float, Pose, np.ndarray] | None = None
        for _ in range(24):
            pose, mask, score = _try(product, placed, masks, light, aspect, rng, limit)
            if best is None or score < best[0]:
                best = score, pose, mask
            if score <= 0:
                break
        assert best is not None
        placed.append(best[1])
        masks.append(best[2])
    return Scene(tuple(placed), light)


def _try(
    product: str,
    placed: list[Pose],
    masks: list[np.ndarray],
    light: Light,
    aspect: float,
    rng: np.random.Generator,
    limit: float,
) -> tuple[Pose, np.ndarray, float]:
    """Return one place for the next object, its coarse mask, and by how much it breaks the rules (0: not at all)."""
    kind, shape = PRODUCTS[product], SHAPES[PRODUCTS[product].shape]
    standing = bool(rng.random() < shape.stands)
    heading = rng.uniform(-np.pi, np.pi)
    reach = np.array([kind.radius, kind.radius])
    if not standing:
        along = np.abs([np.cos(heading), np.sin(heading)])
        reach = reach * along[::-1] + kind.length / 2 * along
    free = np.maximum(np.array(FLOOR) / 2 - reach - 0.004, 0)
    x, y = rng.uniform(-free, free)
    roll = rng.normal(0, 0.22) + np.pi * rng.integers(2) if shape.flat else rng.uniform(-np.pi, np.pi)
    thick = kind.radius * (0.62 if shape.flat else 1.0)
    flat = Pose(product, x, y, 0.0 if standing else thick, heading, 0.0, roll, standing)
    mask = coarse(flat, light, aspect)
    area = max(int(mask.sum()), 1)
    under = [i for i, m in enumerate(masks) if (m & mask).any()]
    hidden = sum(int((masks[i] & mask).sum()) for i in under) / area
    score = max(0.0, hidden - limit)
    for i in under:
        left = masks[i] & ~mask
        for later in masks[i + 1 :]:
            left = left & ~later
        score += 4 * max(0.0, SEEN - left.sum() / max(int(masks[i].sum()), 1))
    if standing:
        return flat, mask, score + (10 if hidden > 0.02 else 0)  # nothing stands upright on something round
    tilt = rng.normal(0, 0.03)
    height = thick
    if under:
        tops = [placed[i].z + PRODUCTS[placed[i].product].radius for i in under if not placed[i].standing]
        score += 10 if any(placed[i].standing for i in under) else 0
        height = thick + (0.5 + 0.4 * min(hidden, 1)) * max(tops, default=0.0) * min(1.0, 4 * hidden)
        tilt = rng.choice([-1, 1]) * rng.uniform(0.06, 0.3) * min(1.0, 3 * hidden)
    return Pose(product, x, y, min(height, WALL), heading, tilt, roll, False), mask, score


def _light(rng: np.random.Generator, station: Station) -> Light:
    lamp = np.array([*rng.normal(0, station.lean, 2), 1.0])
    brightness = rng.uniform(*station.brightness)
    warmth = rng.normal(station.warmth, 0.03)
    return Light(
        direction=tuple(lamp / np.linalg.norm(lamp)),
        ambient=rng.uniform(*station.ambient),
        gain=(brightness * (1 + warmth), brightness, brightness * (1 - warmth)),
        slope=tuple(rng.normal(0, 0.09, 2)),
        noise=rng.uniform(0.006, 0.014),
        blur=rng.uniform(0.0004, 0.0009),
        shift=tuple(rng.normal(0, 0.006, 2)),
        turn=rng.normal(0, 0.008),
        flip=(bool(rng.integers(2)), bool(rng.integers(2))),
        station=station,
    )


def project(points: np.ndarray, light: Light, aspect: float) -> np.ndarray:
    """Return points of the bin (…, 3) as the camera sees them (…, 2), in shares of the width from the top left
    corner."""
    cos, sin = np.cos(light.turn), np.sin(light.turn)
    x = cos * points[..., 0] - sin * points[..., 1] + light.shift[0]
    y = sin * points[..., 0] + cos * points[..., 1] + light.shift[1]
    scale = light.scale(points[..., 2])
    return np.stack([0.5 + x * scale, aspect / 2 + y * scale], -1)


def axes(pose: Pose) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the object's own directions in the bin: along its axis, across it level with the floor, and out of its
    top."""
    ch, sh, ct, st = np.cos(pose.heading), np.sin(pose.heading), np.cos(pose.tilt), np.sin(pose.tilt)
    along = np.array([ch * ct, sh * ct, st])
    across = np.array([-sh, ch, 0.0])
    return along, across, np.cross(along, across)


def outline(pose: Pose, light: Light, aspect: float) -> list[np.ndarray]:
    """Return the object's silhouette as the camera sees it: one polygon lying, a foot and a head standing."""
    kind = PRODUCTS[pose.product]
    if pose.standing:
        angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        circle = kind.radius * np.stack([np.cos(angle), np.sin(angle), 0 * angle], -1)
        feet = np.array([[pose.x, pose.y, 0.0], [pose.x, pose.y, kind.length]])
        return [project(foot + circle, light, aspect) for foot in feet]
    along, across, _ = axes(pose)
    profile = np.array(SHAPES[kind.shape].profile)
    centre = np.array([pose.x, pose.y, pose.z])
    s = (profile[:, 0] - 0.5)[:, None] * kind.length * along
    t = profile[:, 1][:, None] * kind.radius * across
    return [project(np.concatenate([centre + s + t, (centre + s - t)[::-1]]), light, aspect)]


def coarse(pose: Pose, light: Light, aspect: float) -> np.ndarray:
    """Return the silhouette on a small grid: enough to tell what hides what."""
    grid = np.zeros((round(GRID * aspect), GRID), np.uint8)
    for polygon in outline(pose, light, aspect):
        cv2.fillPoly(grid, [np.round(polygon * GRID).astype(np.int32)], 1)
    return grid.astype(bool)

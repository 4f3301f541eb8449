"""From a scene to a photograph and the exact mask of what is visible of each object.

Every object is a body of revolution (flattened for tubes), drawn in its own coordinates: s along the axis, t across.
A plane through the axis maps to the photograph by a homography, so perspective is exact there; the label is looked
up by the angle around the axis, so that a rolled object shows another side.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from stages.dataset.bins.catalog import PRODUCTS, SHAPES, STEEL
from stages.dataset.bins.labels import skin
from stages.dataset.bins.scene import FLOOR, FOCAL, WALL, Light, Pose, Scene, Station, axes, outline, project

SHADOW = 0.42  # how much of the light a cast shadow takes
CONTACT = 0.5  # … and the dark line where things touch

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels


def photograph(scene: Scene, width: int, height: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw the scene: the picture (uint8 RGB), and for each pixel the number of its topmost object (0: none)."""
    image = empty_bin(scene.light, width, height)
    owner = np.zeros((height, width), np.uint8)
    for number, pose in enumerate(scene.objects, 1):
        _put(image, owner, number, pose, scene.light)
    return _expose(image, scene.light, rng), owner


def empty_bin(light: Light, width: int, height: int) -> np.ndarray:
    """Return the bin with nothing in it, before light and camera: float32 RGB."""
    margin = 1.12  # drawn a little larger, so that shifting and turning it shows no edge
    canvas = _bin(round(width * margin), round(height * margin), width, light.station)
    if light.flip[0]:
        canvas = canvas[:, ::-1]
    if light.flip[1]:
        canvas = canvas[::-1]
    h, w = canvas.shape[:2]
    cos, sin = np.cos(light.turn), np.sin(light.turn)
    move = np.array([[cos, -sin, 0], [sin, cos, 0]])
    middle = np.array([(w - 1) / 2, (h - 1) / 2])
    target = np.array([(width - 1) / 2, (height - 1) / 2]) + np.array(light.shift) * width
    move[:, 2] = target - move[:, :2] @ middle
    return cv2.warpAffine(np.ascontiguousarray(canvas), move, (width, height), flags=cv2.INTER_LINEAR)


@lru_cache(maxsize=4)
def _bin(width: int, height: int, unit: int, station: Station) -> np.ndarray:
    """Return the bin from straight above on a dark belt: rim, four ribbed walls, a worn, moulded floor."""
    crate = station.crate
    rng = np.random.default_rng(crate.seed)
    image = np.full((height, width, 3), crate.belt, np.float32)
    image += rng.normal(0, 0.012, (height, 1, 1)).astype(np.float32)  # the belt's weave
    middle = np.array([width / 2, height / 2])

    def ring(x: float, y: float, z: float) -> np.ndarray:
        corners = np.array([(-x, -y), (x, -y), (x, y), (-x, y)]) * unit * FOCAL / (station.camera - z)
        return middle + corners

    x, y = FLOOR[0] / 2, FLOOR[1] / 2
    slope = 0.012
    lip = ring(x + slope + 0.022, y + slope + 0.022, WALL)
    rim = ring(x + slope, y + slope, WALL)
    floor = ring(x, y, 0)

    def fill(corners: np.ndarray, colour: tuple[float, ...]) -> None:
        points = np.round(corners * 16).astype(np.int32)
        cv2.fillConvexPoly(image, points, colour, cv2.LINE_AA, 4)

    fill(lip, crate.lip)
    fill(rim, crate.rim)
    for side, shade in enumerate((0.40, 0.47, 0.53, 0.44)):
        a, b = side, (side + 1) % 4
        fill(np.array([rim[a], rim[b], floor[b], floor[a]]), tuple(shade * part for part in crate.wall))
        for at in np.linspace(0.06, 0.94, 16 if side % 2 == 0 else 9):
            top, foot = rim[a] + (rim[b] - rim[a]) * at, floor[a] + (floor[b] - floor[a]) * at
            cv2.line(
                image,
                _sixteenths(top),
                _sixteenths(foot),
                tuple(shade * part for part in crate.rib),
                max(1, unit // 240),
                cv2.LINE_AA,
                4,
            )
    fill(floor, crate.floor)
    inside = np.zeros((height, width), np.float32)
    cv2.fillConvexPoly(inside, np.round(floor * 16).astype(np.int32), 1.0, cv2.LINE_AA, 4)
    image *= 1 + crate.wear * inside[..., None] * _wear(rng, width, height, unit)[..., None]
    # The floor is darker where the walls keep the light away.
    depth = cv2.distanceTransform((inside > 0.5).astype(np.uint8), cv2.DIST_L2, 5) / (0.05 * unit)
    image *= (1 - 0.3 * np.exp(-depth) * inside)[..., None]
    return cv2.GaussianBlur(image, (0, 0), 0.0008 * unit)


def _sixteenths(point: np.ndarray) -> tuple[int, int]:
    """Return a point in sixteenths of a pixel, as OpenCV draws lines between."""
    x, y = np.round(point * 16).astype(int).tolist()
    return x, y


def _wear(rng: np.random.Generator, width: int, height: int, unit: int) -> np.ndarray:
    """Return the floor's moulded grain, stains and scratches, as relative brightness."""
    wear = np.zeros((height, width), np.float32)
    for cell, strength in ((0.09, 0.045), (0.02, 0.03), (0.004, 0.03)):
        coarse = rng.normal(0, strength, (int(height / (cell * unit)) + 2, int(width / (cell * unit)) + 2))
        wear += cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(60):
        start = rng.uniform((0, 0), (width, height))
        end = start + rng.normal(0, 0.05 * unit, 2)
        cv2.line(
            wear,
            _sixteenths(start),
            _sixteenths(end),
            float(rng.normal(0.02, 0.07)),
            max(1, unit // 640),
            cv2.LINE_AA,
            4,
        )
    return wear


def _put(image: np.ndarray, owner: np.ndarray, number: int, pose: Pose, light: Light) -> None:
    """Draw one object and its shadow over what is already there."""
    height, width = owner.shape
    seen = np.concatenate(outline(pose, light, height / width)) * width
    bulge = PRODUCTS[pose.product].radius * abs(np.tan(pose.tilt)) * width + 2
    box = _clip(seen.min(0) - bulge, seen.max(0) + bulge, width, height)
    left, top, right, bottom = box
    colour, cover = (_standing if pose.standing else _lying)(pose, light, box, width, height)
    _shade_below(image, cover, box, pose, light)
    view = image[top:bottom, left:right]
    view += cover[..., None] * (colour - view)
    owner[top:bottom, left:right][cover > 0.5] = number


def _clip(low: np.ndarray, high: np.ndarray, width: int, height: int) -> Box:
    left, top = np.maximum(np.floor(low), 0).astype(int).tolist()
    right, bottom = np.minimum(np.ceil(high), (width, height)).astype(int).tolist()
    return left, top, right, bottom


def _shade_below(image: np.ndarray, cover: np.ndarray, box: Box, pose: Pose, light: Light) -> None:
    """Darken what lies below: a soft shadow away from the lamp, and a tight one where the object touches.

    Both are smooth, so they are computed at a third of the size.
    """
    height, width = image.shape[:2]
    kind = PRODUCTS[pose.product]
    tall = kind.length if pose.standing else pose.z + 0.3 * kind.radius
    lean = -np.array(light.direction[:2]) / light.direction[2] * tall * width
    soft = (0.16 * tall + 0.002) * width
    corner, end = np.array(box[:2]), np.array(box[2:])
    reach = 2.5 * soft + 1
    low, high = np.minimum(corner, corner + lean) - reach, np.maximum(end, end + lean) + reach
    left, top, right, bottom = _clip(low, high, width, height)
    size = max(2, (right - left) // 3), max(2, (bottom - top) // 3)
    zoom = np.array([size[0] / (right - left), size[1] / (bottom - top)])
    offset = (corner - (left, top)) * zoom

    def moved(by: np.ndarray) -> np.ndarray:
        matrix = np.array([[zoom[0], 0, offset[0] + by[0]], [0, zoom[1], offset[1] + by[1]]])
        return cv2.warpAffine(cover, matrix, size, flags=cv2.INTER_LINEAR)

    touch = moved(np.zeros(2))
    steps = (0.25, 0.5, 0.75, 1.0) if pose.standing else (1.0,)  # the shadow of all between foot and head
    cast = np.maximum.reduce([moved(lean * zoom * step) for step in steps])
    cast = cv2.GaussianBlur(cast, (0, 0), max(0.5, soft / 3))
    touch = cv2.GaussianBlur(touch, (0, 0), max(0.5, 0.0035 * width / 3))
    dark = (1 - SHADOW * cast) * (1 - CONTACT * touch)
    image[top:bottom, left:right] *= cv2.resize(dark, (right - left, bottom - top))[..., None]


def _lying(pose: Pose, light: Light, box: Box, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Return colour and coverage of an object on its side, inside `box` (left, top, right, bottom) of the
    photograph."""
    kind = PRODUCTS[pose.product]
    shape = SHAPES[kind.shape]
    along, across, up = axes(pose)
    s, t = _own_coordinates(pose, along, across, light, box, width, height)
    profile = np.array(shape.profile, np.float32)
    fine = np.linspace(0, 1, 256, dtype=np.float32)
    wide = np.interp(fine, profile[:, 0], profile[:, 1]).astype(np.float32) * kind.radius
    thick = np.interp(fine, profile[:, 0], profile[:, 2]).astype(np.float32) * kind.radius
    # A point on top of a tilted body appears displaced along the axis, by its height times the tilt's tangent.
    tan = np.float32(np.tan(pose.tilt))
    x = s / np.float32(kind.length) + 0.5
    at, half, sine, cosine = np.empty(0, np.uint8), *np.empty((3, 0))
    for _ in range(2 if abs(tan) > 0.02 else 1):
        at = np.clip(x * 255, 0, 255).astype(np.uint8)
        half = wide[at]
        sine = np.clip(t / half, -1, 1)
        cosine = np.sqrt(1 - sine * sine)
        x = (s + thick[at] * cosine * tan) / np.float32(kind.length) + 0.5
    edge = np.minimum(half - np.abs(t), np.minimum(x, 1 - x) * np.float32(kind.length))
    pixel = np.float32(width * light.scale(pose.z))
    cover = np.clip(edge * pixel + 0.5, 0, 1)

    print_ = skin(kind.name, width)
    angle = np.arctan2(sine, cosine) + np.float32(pose.roll)
    rows = np.mod(angle / np.float32(2 * np.pi) + 0.25, 1) * print_.shape[0]
    colour = cv2.remap(print_, x * (print_.shape[1] - 1), rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    # The normal of an ellipse's edge, tipped where the body narrows along the axis.
    taper = -np.gradient(wide, np.float32(kind.length / 255))[at]
    n_across, n_up = sine / half, cosine / thick[at]
    norm = 1 / np.sqrt(n_across**2 + n_up**2)
    n_across, n_up, n_along = n_across * norm, n_up * norm, np.clip(taper, -1.2, 1.2) * 0.6
    norm = 1 / np.sqrt(1 + n_along**2)
    lamp = np.array(light.direction, np.float32)
    lamps, cameras = (lamp @ along, lamp @ across, lamp @ up), (along[2], across[2], up[2])
    colour = _lit(colour, (n_along, n_across, n_up), norm, lamps, cameras, light, kind.gloss)
    if abs(pose.tilt) > 0.02:
        end = 1 if pose.tilt > 0 else 0  # the end that is raised shows its face
        face = s - np.float32((end - 0.5) * kind.length), t, thick[-end] * abs(tan), wide[-end]
        disc = _disc(*face, pixel)
        paint = STEEL if shape.metal_ends else (kind.cap, kind.base)[end]
        tone = light.ambient + (1.06 - light.ambient) * max(0.0, (1 if end else -1) * float(lamps[0]))
        colour += disc[..., None] * (np.array(paint, np.float32) / 255 * np.float32(tone) - colour)
        cover = np.maximum(cover, disc)
    return colour, cover


def _disc(s: np.ndarray, t: np.ndarray, half_s: float, half_t: float, pixel: np.float32) -> np.ndarray:
    """Return how much of each pixel an ellipse around the origin covers."""
    far = np.sqrt((s / half_s) ** 2 + (t / half_t) ** 2)
    return np.clip((1 - far) * (min(half_s, half_t) * pixel) + 0.5, 0, 1)


def _lit(
    colour: np.ndarray, normal: tuple, norm: np.ndarray, lamp: tuple, camera: tuple, light: Light, gloss: float
) -> np.ndarray:
    """Return colours in matt shading with a highlight; all directions are in the object's own axes."""
    half = np.array(lamp) + np.array(camera)
    half /= np.linalg.norm(half)
    matt = sum(np.float32(a) * b for a, b in zip(lamp, normal, strict=True)) * norm
    shine = np.clip(sum(np.float32(a) * b for a, b in zip(half, normal, strict=True)) * norm, 0, 1)
    shine = shine**8  # three products of squares are much faster than a general power
    shine = shine * shine * shine * shine
    shade = np.float32(light.ambient) + np.float32(1.06 - light.ambient) * np.clip(matt, 0, 1)
    return colour * shade[..., None] + (np.float32(gloss * 0.42) * shine)[..., None]


def _own_coordinates(
    pose: Pose, along: np.ndarray, across: np.ndarray, light: Light, box: Box, width: int, height: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each pixel in the box, its point (s, t) on the plane through the object's axis."""
    centre = np.array([pose.x, pose.y, pose.z])
    corners = np.array([(-0.1, -0.1), (0.1, -0.1), (0.1, 0.1), (-0.1, 0.1)])
    seen = project(centre + corners[:, :1] * along + corners[:, 1:] * across, light, height / width) * width - 0.5
    back = cv2.getPerspectiveTransform(seen.astype(np.float32), corners.astype(np.float32)).astype(np.float32)
    left, top, right, bottom = box
    x = np.arange(left, right, dtype=np.float32)[None]
    y = np.arange(top, bottom, dtype=np.float32)[:, None]
    depth = 1 / (back[2, 0] * x + back[2, 1] * y + back[2, 2])
    return (back[0, 0] * x + back[0, 1] * y + back[0, 2]) * depth, (
        back[1, 0] * x + back[1, 1] * y + back[1, 2]
    ) * depth


def _standing(pose: Pose, light: Light, box: Box, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Return colour and coverage of an upright object: its side as far as perspective shows it, then its top."""
    kind = PRODUCTS[pose.product]
    shape = SHAPES[kind.shape]
    left, top, right, bottom = box
    colour = np.zeros((bottom - top, right - left, 3), np.float32)
    cover = np.zeros((bottom - top, right - left), np.float32)
    print_ = skin(kind.name, width)
    profile = np.array(shape.profile)
    outward = np.arctan2(pose.y, pose.x)
    x = np.arange(left, right, dtype=np.float32)[None] + 0.5
    y = np.arange(top, bottom, dtype=np.float32)[:, None] + 0.5
    lamp = np.array(light.direction)
    far = disc = np.empty(0)
    radius = 0.0
    for level in np.linspace(1, 0, 20):  # the profile runs from the cap (up) to the foot
        rise = (1 - level) * kind.length
        centre = project(np.array([pose.x, pose.y, rise]), light, height / width) * width
        scale = light.scale(rise) * width
        radius = np.interp(level, profile[:, 0], profile[:, 1]) * kind.radius * scale
        dx, dy = x - centre[0], y - centre[1]
        far = np.sqrt(dx * dx + dy * dy)
        disc = np.clip(radius - far + 0.5, 0, 1)
        column = int(level * (print_.shape[1] - 1))
        angle = np.arctan2(dy, dx)
        rows = (np.mod((angle - outward + pose.roll) / (2 * np.pi), 1) * (print_.shape[0] - 1)).astype(np.int32)
        side = np.clip((np.cos(angle) * lamp[0] + np.sin(angle) * lamp[1]) * 0.8 + 0.25, 0, 1)
        tone = (light.ambient + (1 - light.ambient) * side).astype(np.float32)
        ring = print_[:, column][rows] * tone[..., None]
        colour += disc[..., None] * (ring - colour)
        cover = np.maximum(cover, disc)
    # The top: rings of the cap, or the metal end with its rim.
    base = np.array(STEEL if shape.metal_ends else kind.cap, np.float32) / 255
    share = far / max(radius, 1e-3)
    rings = 1 - 0.22 * (np.abs(share - 0.86) < 0.07) + 0.1 * (np.abs(share - 0.55) < 0.05) - 0.12 * (share < 0.16)
    tone = np.float32(light.ambient + (1.02 - light.ambient) * lamp[2]) * rings
    colour += disc[..., None] * (base * tone[..., None] - colour)
    return colour, cover


def _expose(image: np.ndarray, light: Light, rng: np.random.Generator) -> np.ndarray:
    """Return the photograph that lamp, lens and sensor make of what there is to see: uint8 RGB."""
    height, width = image.shape[:2]
    x = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None]
    y = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None]
    field = 1 + light.slope[0] * x + light.slope[1] * y - 0.22 * (x * x + y * y)
    image *= field[..., None].astype(np.float32) * np.array(light.gain, np.float32)
    image = cv2.GaussianBlur(image, (0, 0), light.blur * width)
    image += np.float32(light.noise) * rng.standard_normal(image.shape, np.float32)
    image *= 255
    image += 0.5
    return np.clip(image, 0, 255, out=image).astype(np.uint8)

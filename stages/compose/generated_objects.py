"""Objects with their masks, drawn by a GAN that has learnt from cut-outs turned upright."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch

from stages import gpu
from stages.dataset import photo
from stages.extract import empty_bin, placeable, upright
from stages.extract.placeable import CutOut
from stages.gan.kept_generators import draw
from stages.gan.networks import Generator
from stages.problem import Problem
from stages.training import run_facts, weights

CHANNELS = 4  # colour and mask
GREY = 127.5  # around an object
PARTS = 0.05  # of a mask may lie apart from its largest piece
SIZES = (0.9, 1.1)  # how much smaller and larger than all known ones an object may be
TRIES = 20  # drawings for each object that is wanted


@dataclass(frozen=True)
class Examples:
    """The objects that an object GAN learns from."""

    squares: np.ndarray  # (n, size, size, 4) uint8: standing objects in grey, in the same light; their masks
    facts: dict  # that go with the generator: frame, light, category, areas


def examples(subset: Path, size: int) -> Examples:
    """Return the whole objects of the class that a subset shows most, in a frame that holds each, squashed to
    squares."""
    found, units, _ = placeable.usable(subset)
    standing = upright.upright(units)
    category = Counter(one.category for one in standing).most_common(1)[0][0]
    standing = [one for one in standing if one.category == category]
    light = {scene.name: empty_bin.light(scene) for scene in found}
    usual = np.median(list(light.values()), axis=0)
    height, width = np.max([one.mask.shape for one in standing], axis=0).tolist()
    squares = []
    for one in standing:
        mask = _centred(one.mask, height, width)[..., None]
        colour = _centred(one.pixels / light[one.image] * usual, height, width)
        both = np.concatenate([mask * colour + (1 - mask) * GREY, 255 * mask], axis=-1)
        squares.append(photo.squashed(both.clip(0, 255), size).round().astype(np.uint8))
    areas = [float((one.mask > 0.5).sum()) for one in standing]
    facts = {
        "frame": [width, height],
        "light": usual.tolist(),
        "category": category,
        "areas": [min(areas), max(areas)],
    }
    return Examples(np.stack(squares), facts)


def drawings(model: Path, seed: int) -> Iterator[np.ndarray]:
    """Yield squares (size, size, 4; uint8) as a trained generator draws them, one after the other."""
    recipe = run_facts.read(model)["recipe"]
    generator = Generator(recipe["size"], recipe["z"], recipe["dim"], CHANNELS)
    generator.load_state_dict(weights.load(model / weights.GENERATOR))
    generator.to(gpu.device()).eval().requires_grad_(False)
    rng = torch.Generator().manual_seed(seed)
    while True:
        yield draw(generator, torch.randn(generator.z, generator=rng))


def objects(model: Path, count: int, seed: int) -> list[np.ndarray]:
    """Return so many objects (h, w, 4) uint8 as large as photographed ones; 255 in the last channel is the object.

    What is in pieces or of no object's size is drawn again. Colours go on around the mask, for soft edges.
    """
    facts = run_facts.read(model)
    drawn = (cut(square, facts) for square in islice(drawings(model, seed), TRIES * count))
    made = list(islice((one for one in drawn if one is not None), count))
    if len(made) < count:
        raise Problem(f"{model}: of {TRIES * count} drawings only {len(made)} are whole objects; train it for longer")
    return made


def units(model: Path, count: int, seed: int) -> list[CutOut]:
    """Return so many objects as the composer places them: pixels in shares of the light that lies on them."""
    facts = run_facts.read(model)
    light = np.array(facts["light"], np.float32)
    return [
        CutOut(model.name, one[..., :3] / light, one[None, ..., 3] > 0, (facts["category"],), ("generated",))
        for one in objects(model, count, seed)
    ]


def cut(square: np.ndarray, facts: dict) -> np.ndarray | None:
    """Return the object in a generated square, or None where there is no whole one."""
    drawn = cv2.resize(square.astype(np.float32), tuple(facts["frame"]), interpolation=cv2.INTER_CUBIC)
    share = (drawn[..., 3] / 255).clip(0, 1)
    _, pieces, sizes, _ = cv2.connectedComponentsWithStats((share > 0.5).astype(np.uint8))
    if len(sizes) == 1:
        return None
    largest = 1 + int(sizes[1:, cv2.CC_STAT_AREA].argmax())
    mask, area = pieces == largest, int(sizes[largest, cv2.CC_STAT_AREA])
    smallest_known, largest_known = facts["areas"]
    if not SIZES[0] * smallest_known <= area <= SIZES[1] * largest_known or area < (1 - PARTS) * (share > 0.5).sum():
        return None
    mask = cv2.morphologyEx(np.pad(mask, 2).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3)))[2:-2, 2:-2]
    share = np.maximum(share, 0.5)[..., None]
    colour = GREY + (drawn[..., :3] - GREY) / share  # at an edge, without its share of the grey
    colour = _continued(colour.clip(0, 255).round().astype(np.uint8), mask)
    ys, xs = np.nonzero(mask)
    part = slice(ys.min(), ys.max() + 1), slice(xs.min(), xs.max() + 1)
    return np.dstack([colour, 255 * mask])[part]


def _continued(colour: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return a picture whose pixels outside the mask have the colour of the nearest one inside."""
    _, nearest = cv2.distanceTransformWithLabels(1 - mask, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    nearest = np.asarray(nearest, np.int64)
    palette = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    palette[nearest[mask > 0]] = colour[mask > 0]
    return palette[nearest]


def _centred(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a picture in the middle of a larger canvas of zeros."""
    top, left = (height - picture.shape[0]) // 2, (width - picture.shape[1]) // 2
    canvas = np.zeros((height, width, *picture.shape[2:]), np.float32)
    canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return canvas

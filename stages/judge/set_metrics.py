"""What a whole set of candidates is like, beside the real images: each figure with what it means, or why there is none.

On the features of the judge's detector, except for distinct pictures, which are counted by novelty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stages import files, paths
from stages.dataset import coco
from stages.judge import reference
from stages.judge.reference import Reference
from stages.settings import Settings

NEIGHBOURS = 5  # of precision, recall, density and coverage
FEWEST_KID = 50  # images on each side
FEWEST_CT = 20  # held-out real images
ALIKE = 2  # earlier pictures that each is compared with in full, to count distinct ones


@dataclass(frozen=True)
class Figure:
    name: str
    value: float | None
    means: str  # or why there is none


def held_out(params: Settings, product: str, drawn: int | None = None) -> Reference | None:
    """Return a product's validation images, which neither its judge nor a generator has seen."""
    dataset, val = coco.read(paths.ANNOTATIONS), set(files.read_json(paths.SPLIT)["val"])
    images = coco.grouped(dataset, params.dataset.groups).get(params.group(product), [])
    ids = [image.id for image in images if image.id in val]
    return reference.of_ids(ids, params, drawn)


def figures(fake: np.ndarray, real: np.ndarray, held: np.ndarray) -> list[Figure]:
    """Return what a set of candidates is like beside real images, by the features of each (n, d).

    held: features of real images that the generator did not train on; may be empty.
    """
    made = []
    if not (why := too_few(fake, real, NEIGHBOURS + 2)):
        between = _apart(fake, real)
        radius = np.sort(_apart(real, real), 1)[:, NEIGHBOURS]
        own = np.sort(_apart(fake, fake), 1)[:, NEIGHBOURS]
        near, reached = between <= radius, between <= own[:, None]
        made += [
            Figure("precision", float(near.any(1).mean()), "share of candidates that lie among the real images"),
            Figure("recall", float(reached.any(0).mean()), "share of real images that lie among the candidates"),
            Figure("density", float(near.sum(1).mean() / NEIGHBOURS), "how thickly candidates lie among real images"),
            Figure("coverage", float(near.any(0).mean()), "share of real images with a candidate near"),
        ]
    else:
        made += [Figure(name, None, why) for name in ("precision", "recall", "density", "coverage")]
    if len(real) > 1:
        nearest, there = _apart(fake, real).min(1), _apart(fake, real).argmin(1)
        spacing = _apart(real, real)
        np.fill_diagonal(spacing, np.inf)
        share = float((nearest > spacing.min(1)[there]).mean())
        made.append(Figure("authenticity", share, "share farther from its nearest image than that one's own nearest"))
    else:
        made.append(Figure("authenticity", None, "one training image has no neighbour"))
    if len(held) >= FEWEST_CT:
        made.append(Figure("c_t", _c_t(fake, real, held), "below 0: nearer to training images than new ones are"))
    else:
        made.append(Figure("c_t", None, f"{len(held)} real images were held out; {FEWEST_CT} are needed"))
    if not (why := too_few(fake, real, FEWEST_KID)):
        made.append(Figure("kid", _kid(fake, real), "distance of the two sets' features, squared; 0: alike"))
    else:
        made.append(Figure("kid", None, why))
    return made


def too_few(fake: np.ndarray, real: np.ndarray, least: int) -> str:
    """Return which of two sets of pictures is too small, in words; nothing, where both suffice."""
    for of, name in ((real, "training images"), (fake, "candidates")):
        if len(of) < least:
            return f"{len(of)} {name} are too few; {least} are needed"
    return ""


def distinct(pixels: np.ndarray, copy: float, shift: float) -> int:
    """Return how many of the pictures are no copies of an earlier one that counts."""
    from stages.judge import novelty  # and torch

    ready, coarse = novelty.prepared(pixels), novelty.prepared(pixels, novelty.COARSE)
    counts = np.zeros(len(ready), bool)
    for k, order in enumerate(novelty.coarsely_nearest(coarse, coarse, len(coarse)).numpy()):
        near = order[counts[order]][:ALIKE]
        theirs = ready[near]
        counts[k] = not len(near) or novelty.distances(ready[[k]].expand_as(theirs), theirs, shift).min() > copy
    return int(counts.sum())


def _apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    return np.sqrt(squared.clip(0))


def _c_t(fake: np.ndarray, real: np.ndarray, held: np.ndarray) -> float:
    """Return the statistic of Meehan, Chaudhuri and Dasgupta 2020, in one cell: the z score of a Mann-Whitney test on
    nearest distances."""
    a, b = _apart(fake, real).min(1), _apart(held, real).min(1)
    wins = (a[:, None] > b[None]).sum() + 0.5 * (a[:, None] == b[None]).sum()
    mean, spread = len(a) * len(b) / 2, np.sqrt(len(a) * len(b) * (len(a) + len(b) + 1) / 12)
    return float((wins - mean) / spread)


def _kid(fake: np.ndarray, real: np.ndarray) -> float:
    """Return the distance of Bińkowski et al. 2018: the unbiased squared discrepancy under the kernel (x·y/d + 1)³."""
    d = fake.shape[1]

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a @ b.T / d + 1) ** 3

    n, m = len(fake), len(real)
    within = (kernel(fake, fake).sum() - np.trace(kernel(fake, fake))) / (n * (n - 1))
    other = (kernel(real, real).sum() - np.trace(kernel(real, real))) / (m * (m - 1))
    return float(within + other - 2 * kernel(fake, real).mean())

"""The numbers that verdicts rest on, taken from real images: none is chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stages.judge import background, novelty, quality
from stages.judge.copies import copies
from stages.judge.quality import Seen
from stages.judge.reference import Reference
from stages.settings import Judge

SOURCES = 60  # training images that copies are made of, at most
FOLDS = 5


@dataclass(frozen=True)
class CopyLimit:
    distance: float  # at most this far from a training image: a copy of it
    caught: float | None  # share of copies it catches of images it was not taken from; None for a single image


def copy_limit(reference: Reference, rule: Judge, seed: int) -> CopyLimit:
    """The given percentile of the distances of changed copies from their sources."""
    rng = np.random.default_rng(seed)
    sources = rng.permutation(len(reference))[:SOURCES]
    made = [copies(reference.pixels[k], rule.copies, rule.shift, rng) for k in sources]
    found = novelty.distances(
        novelty.prepared(np.concatenate(made)),
        novelty.prepared(reference.pixels[sources]).repeat_interleave(rule.copies, 0),
        rule.shift,
    ).numpy().reshape(len(sources), rule.copies)  # fmt: skip
    caught = []
    for fold in range(min(FOLDS, len(sources)) if len(sources) > 1 else 0):
        out = np.arange(len(sources)) % FOLDS == fold
        caught.append(found[out] <= np.percentile(found[~out], rule.percentile))
    share = float(np.concatenate(caught).mean()) if caught else None
    return CopyLimit(float(np.percentile(found, rule.percentile)), share)


@dataclass(frozen=True)
class Limits:
    """What the objects of a good picture are like."""

    confidence: float  # of the most doubtful free object
    whole: dict[int, float]  # least diagonal of each class
    strong: dict[int, float]  # how little objects of each class stand out
    trace: float  # how sure the detector may be of a ghost
    ghost: float  # how much may show beside the objects
    manifold: float  # how far the features may be from those of real images


@dataclass(frozen=True)
class Trial:
    """Another product in the same situation: few images that the detector trained on, others that it has not seen."""

    few: Reference
    few_features: np.ndarray
    unseen: Reference
    unseen_features: np.ndarray
    seen: list[Seen]  # what the detector finds in the unseen ones


def limits(own: Reference, changed: list[Seen], trials: list[Trial], rule: Judge) -> Limits:
    """Sizes and strengths from the product's own few images, all else from how real images of other products fare.

    `changed`: what the detector sees in changed copies of its own images. It is less sure of a product that it knows
    from a few images than of the others, and this says how much less.
    """
    sizes = [quality.diagonals(boxes, own.frame) for boxes in own.boxes]
    empty = background.empty(own)
    stand = [background.strengths(*of, empty) for of in zip(own.pixels, own.boxes, strict=True)]
    whole, strong = (
        {number: min(of) * (1 - rule.slack) for number, of in quality.of_class(own, values, free).items()}
        for values, free in ((sizes, True), (stand, False))
    )
    features = known_features(trials)
    traces, ghosts, apart = [], [], []
    for trial in trials:
        traces += [seen.trace for seen in trial.seen]
        ghosts += [  # beside all objects, found or not
            background.ghost(*of, trial.few) for of in zip(trial.unseen.pixels, trial.unseen.boxes, strict=True)
        ]
        apart += nearest_feature(trial.unseen_features, features).tolist()
    unseen = [seen for trial in trials for seen in trial.seen]
    return Limits(
        min(_least_sure(of, rule) for of in (changed, unseen)), whole, strong,
        *(float(np.percentile(of, rule.pass_real)) * (1 + rule.slack) for of in (traces, ghosts, apart)),
    )  # fmt: skip


def known_features(trials: list[Trial]) -> np.ndarray:
    """What real images look like to the detector, whatever they show."""
    return np.concatenate([trial.few_features for trial in trials])


def _least_sure(pictures: list[Seen], rule: Judge) -> float:
    """The confidence that the most doubtful free object of a picture has in as many pictures as must pass."""
    least = [
        float(seen.confidence[free].min()) for seen in pictures if (free := quality.standing_free(seen.boxes)).any()
    ]
    return float(np.percentile(least, 100 - rule.pass_real)) if least else 0.0


def nearest_feature(features: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Cosine distance to the nearest known feature."""
    a, b = (f / np.linalg.norm(f, axis=1, keepdims=True).clip(1e-12) for f in (features, known))
    return (1 - a @ b.T).min(1)

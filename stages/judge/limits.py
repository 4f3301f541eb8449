"""The numbers that verdicts rest on, taken from real images: none is chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stages.judge import grading, salience
from stages.judge.copies import copies
from stages.judge.grading import GRADES, Graded, Grader, KnownBin, Strength
from stages.judge.object_faults import standing_free
from stages.judge.quality import FAINTEST, Seen, lengths
from stages.judge.reference import Reference
from stages.settings import Judge

SOURCES = 60  # training images that copies are made of, at most
FOLDS = 5
SEVERAL = 5  # objects that stand free, from which on they say how short one may be
EVEN = 0.08  # of what is usual: objects spread at least so far, as few of them may happen to be alike
FAULTLESS = 95  # percent of real images that show no ghost or part


@dataclass(frozen=True)
class CopyLimit:
    distance: float  # at most this far from a training image: a copy of it
    caught: float | None  # share of copies it catches of images it was not taken from; None for a single image


def copy_limit(reference: Reference, rule: Judge, seed: int) -> CopyLimit:
    """Return the distance up to which a picture counts as a copy: a percentile of those of changed copies from their
    sources."""
    rng = np.random.default_rng(seed)
    sources = rng.permutation(len(reference))[:SOURCES]
    made = [copies(reference.pixels[k], rule.copies, rule.shift, rng) for k in sources]
    from stages.judge import novelty  # and torch

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
    """The limits within which a product's good pictures lie."""

    confidence: float  # of the most doubtful free object
    strong: dict[int, float]  # how little objects of each class stand out from the empty bin …
    usual: dict[int, Strength]  # … how much they usually do …
    long: dict[int, float]  # … and how short they are, where they stand free
    fault: float  # how sure a ghost or a part must be to count: more than nearly all that real images seem to show
    grader: Grader


@dataclass(frozen=True)
class GradingExamples:
    """Pictures of known colour, and what the detector finds in them."""

    pixels: np.ndarray
    grades: list[str]
    weights: np.ndarray  # how much each counts
    seen: list[Seen]
    features: np.ndarray


@dataclass(frozen=True)
class Trial:
    """A product in the same situation: few images that the detector trained on, others that it has not seen."""

    few: Reference
    few_features: np.ndarray
    seen: list[Seen]  # what the detector finds in the others
    examples: GradingExamples  # these, and what is made of them


def limits(own: Reference, changed: list[Seen], trials: list[Trial], rule: Judge) -> Limits:
    """Return the limits of quality, from the product's own images, changed copies of them, and other products' images.

    The detector is less sure of a product that it knows from a few images than of the others; the copies, which count
    where they are the more doubtful, say how much less.
    """
    unseen, by, known = [seen for trial in trials for seen in trial.seen], known_of(own, rule), known_features(trials)
    return Limits(
        min(_fewest([seen.least for seen in of], rule) for of in (changed, unseen)),
        by.strong,
        by.usual,
        by.long,
        max(FAINTEST, *(float(np.percentile([seen.fault for seen in of], FAULTLESS)) for of in (changed, unseen))),
        grading.fit([graded(trial, known, rule) for trial in trials]),
    )


def graded(trial: Trial, known: np.ndarray, rule: Judge) -> Graded:
    """Return the evidence of a trial's pictures of known colour; `known`: features of real images."""
    of, by = trial.examples, known_of(trial.few, rule)
    strange = nearest_feature(of.features, known)
    values = [grading.evidence(*one, by) for one in zip(of.seen, of.pixels, strange, strict=True)]
    return Graded(np.array(values), np.array([GRADES.index(colour) for colour in of.grades]), of.weights)


def known_of(own: Reference, rule: Judge) -> KnownBin:
    """Return what a product's own photographs tell of its bin and objects."""
    empty = salience.empty(own)
    found = strengths(own, empty)
    strong = {number: min(of) * (1 - rule.slack) for number, of in found.items()}
    return KnownBin(
        empty, own.frame, {number: usual(of) for number, of in found.items()}, strong, least_long(own, rule)
    )


def strengths(own: Reference, empty: np.ndarray) -> dict[int, list[float]]:
    """Return how much each object stands out from the empty bin, by class."""
    found = {}
    for pixels, boxes, classes in zip(own.pixels, own.boxes, own.classes, strict=True):
        for number, value in zip(classes.tolist(), salience.strengths(pixels, boxes, empty), strict=True):
            found.setdefault(number, []).append(float(value))
    return found


def usual(values: list[float]) -> Strength:
    """Return how much the objects of a class stand out, in the middle, and how far they spread."""
    middle = float(np.median(values))
    return Strength(middle, max(float(np.std(values)), EVEN * middle))


def least_long(own: Reference, rule: Judge) -> dict[int, float]:
    """Return for each class of which several stand free a little less than the length of the shortest of these."""
    found: dict[int, list[float]] = {}
    for boxes, classes in zip(own.boxes, own.classes, strict=True):
        free = standing_free(boxes)
        for number, value in zip(classes[free].tolist(), lengths(boxes[free], own.frame).tolist(), strict=True):
            found.setdefault(number, []).append(value)
    return {number: min(of) * (1 - rule.slack) for number, of in found.items() if len(of) >= SEVERAL}


def _fewest(values: list[float | None], rule: Judge) -> float:
    """Return a little less than as many real images reach as must pass; an image without a value says nothing."""
    there = [value for value in values if value is not None]
    return float(np.percentile(there, 100 - rule.pass_real)) * (1 - rule.slack) if there else 0.0


def known_features(trials: list[Trial]) -> np.ndarray:
    """Return the detector's features of real images, whatever they show."""
    return np.concatenate([trial.few_features for trial in trials])


def nearest_feature(features: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return each feature's cosine distance to the nearest known one."""
    a, b = (f / np.linalg.norm(f, axis=1, keepdims=True).clip(1e-12) for f in (features, known))
    return (1 - a @ b.T).min(1)

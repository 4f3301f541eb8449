"""The judge itself: from pictures to verdicts, for candidates and for its own test alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from safetensors.numpy import load_file

from stages import files, paths
from stages.detector import predict
from stages.judge import arrangement, grading, limits, quality, reference, salience
from stages.judge.grading import KnownBin
from stages.judge.limits import CopyLimit, Limits, copy_limit
from stages.judge.reference import Reference
from stages.judge.verdict_rule import CandidateEvidence, near_a_copy, verdict
from stages.problem import Problem
from stages.settings import Settings


@dataclass(frozen=True)
class PictureJudge:
    """All that the pictures of a product are judged with."""

    weights: Path
    training: Reference  # what they must differ from
    empty: np.ndarray  # bin
    copy: CopyLimit
    limits: Limits
    features: np.ndarray  # of the training images …
    known: np.ndarray  # … and of real images of other products


@dataclass(frozen=True)
class Judged:
    colour: str
    reason: str
    evidence: CandidateEvidence


def of(product: str, parents: list[Path], drawn: int, params: Settings) -> PictureJudge:
    """Return what pictures of a product are judged with that learnt from the images in the folders `parents`; `drawn`:
    on so many pixels a side."""
    weights, size = paths.trained(product, "judge"), params.now.judge.size
    if not weights.exists():
        raise Problem(f"there is no detector that judges {product}; run `dvc repro judge_detector@{product}`")
    own = reference.read([paths.SUBSETS / params.known_subset(product)], size, drawn)
    return load(paths.JUDGE / product, weights, reference.read(parents, size, drawn), own, drawn, params)


def load(
    folder: Path, weights: Path, training: Reference, own: Reference, drawn: int, params: Settings
) -> PictureJudge:
    """Return what a product's pictures are judged with: what `calibrate` left in `folder`, and the copies' distance,
    taken from the training images themselves.

    `own`: the product's subset, which shows what its bin looks like. `drawn`: the side of what is judged.
    """
    facts = files.read_json(folder / "limits.json")[str(drawn)]
    return PictureJudge(
        weights, training, salience.empty(own), copy_limit(training, params.judge, params.seed),
        msgspec.convert(facts, Limits, str_keys=True),
        predict.features(weights, training.pixels, params.now.judge.imgsz),
        load_file(folder / "known.safetensors")[str(drawn)],
    )  # fmt: skip


def judge(pixels: np.ndarray, by: PictureJudge, params: Settings) -> list[Judged]:
    """Return a verdict, with what it rests on, on each picture (n, size, size, 3; uint8)."""
    rule, imgsz = params.judge, params.now.judge.imgsz
    from stages.judge import novelty  # and torch

    near = novelty.nearest(pixels, by.training.pixels, rule.shift, rule.shortlist)
    seen, features = quality.look_closely(by.weights, pixels, imgsz, params.testing.confidence, by.limits.fault)
    manifold = limits.nearest_feature(features, np.concatenate([by.features, by.known]))
    bin_ = KnownBin(by.empty, by.training.frame, by.limits.usual, by.limits.strong, by.limits.long)
    shown = zip(seen, pixels, manifold, strict=True)
    grades = by.limits.grader.grades(np.array([grading.evidence(*one, bin_) for one in shown]))
    known = list(zip(by.training.boxes, by.training.classes, strict=True))
    judged = []
    for k, found in enumerate(seen):
        good = quality.assess(found, pixels[k], by.empty, by.training.frame, by.limits.strong, by.limits.long)
        change = arrangement.nearest(good.whole.boxes, good.whole.classes, known, rule.iou, rule.shift)
        sure = good.whole.boxes[good.whole.confidence >= by.limits.confidence]
        close = near_a_copy(near.distance[k], by.copy.distance, rule.slack)
        evidence = CandidateEvidence(
            float(near.distance[k]), by.training.names[near.place[k]], change, by.training.names[change.place],
            good, grades[k], float(manifold[k]), arrangement.elsewhere(sure, known, rule.shift) if close else 0,
            change.faintly_there(found.faint, rule.iou),
        )  # fmt: skip
        judged.append(Judged(*verdict(evidence, by.copy.distance, rule.slack), evidence))
    return judged

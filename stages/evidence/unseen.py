"""What the detector that the gate chose sees in photographs that it has not learnt from, and that are not for testing.

Thresholds are chosen on them: on the product's validation images; where it has none, on its training images, each seen
by a detector of a fold without it. For a detector that looks for the known products alone, theirs.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from stages import paths
from stages.dataset import coco
from stages.detector.scenes import DetectedScene
from stages.evidence import folds, held_out
from stages.evidence.compare import Seen
from stages.evidence.roles import OLD
from stages.settings import Settings

Kind = Literal["validation", "folds", "none"]


@dataclass(frozen=True)
class Unseen:
    kind: Kind
    scenes: list[DetectedScene]


def of(name: str, product: str, weights: Path, by_folds: Seen, params: Settings) -> Unseen:
    """Return what a detector sees. `by_folds`: what arms have already been asked, fold by fold."""
    imgsz = params.now.evidence.imgsz
    groups = [params.group(product)] if name != OLD else known(product, params)
    if held_out.there(groups, params, "val"):
        return Unseen("validation", held_out.seen(held_out.of(groups, params, imgsz, "val"), weights))
    if name in by_folds and name != OLD:
        return Unseen("folds", by_folds[name][0])
    arm = params.arms.get(name)
    if arm and folds.possible(arm, params):
        return Unseen("folds", folds.looked({name: arm}, params)[name][0])
    return Unseen("none", [])


def known(product: str, params: Settings) -> list[str]:
    """Return the groups that were there before the product."""
    dataset = coco.read(paths.ANNOTATIONS, masks=False)
    return [group for group in coco.grouped(dataset, params.dataset.groups) if group != params.group(product)]


def written(found: Unseen) -> dict[str, Any]:
    """Return what was seen as JSON has it."""
    rows = [{key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in asdict(scene).items()}
            for scene in found.scenes]  # fmt: skip
    return {"kind": found.kind, "scenes": rows}


def read(facts: dict[str, Any]) -> Unseen:
    """Return what `written` has noted."""
    scenes = [
        DetectedScene(
            of["image"], of["width"], of["height"], np.array(of["boxes"], float).reshape(-1, 4),
            np.array(of["classes"], int), np.array(of["crowd"], bool), np.array(of["detections"], float).reshape(-1, 6),
        )
        for of in facts["scenes"]
    ]  # fmt: skip
    return Unseen(facts["kind"], scenes)

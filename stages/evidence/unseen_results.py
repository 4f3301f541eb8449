"""What the detector that the gate chose sees in photographs that it has not learnt from, and that are not for testing:
thresholds are chosen on them. The gate leaves it, and whoever describes the detector reads it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from stages.detector.scenes import DetectedScene

Kind = Literal["validation", "folds", "none"]


@dataclass(frozen=True)
class Unseen:
    kind: Kind
    scenes: list[DetectedScene]


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

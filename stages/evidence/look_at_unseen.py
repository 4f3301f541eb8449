"""Look with a detector at photographs that it has not learnt from, and that are not for testing.

At the product's validation images; where it has none, at its training images, each seen by a detector of a fold without
it. A detector that looks for the known products alone looks at theirs.
"""

from __future__ import annotations

from pathlib import Path

from stages.evidence import folds, held_out
from stages.evidence.arm_roles import OLD
from stages.evidence.compare import Seen
from stages.evidence.unseen_results import Unseen
from stages.settings import Settings


def unseen(name: str, product: str, weights: Path, by_folds: Seen, params: Settings) -> Unseen:
    """Return what a detector sees. `by_folds`: what arms have already been asked, fold by fold."""
    imgsz = params.now.evidence.imgsz
    groups = [params.group(product)] if name != OLD else held_out.other_groups(product, params)
    if held_out.there(groups, params, "val"):
        return Unseen("validation", held_out.seen(held_out.of(groups, params, imgsz, "val"), weights))
    if name in by_folds and name != OLD:
        return Unseen("folds", by_folds[name][0])
    arm = params.arms.get(name)
    if arm and folds.possible(arm, params):
        numbers = range(len(folds.dealt(arm.subset, params)))
        return Unseen("folds", [scene for fold in folds.looked({name: arm}, numbers, params) for scene in fold[name]])
    return Unseen("none", [])

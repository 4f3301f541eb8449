"""Decide on a product that came with its few photographs alone, by what was seen in all folds of these together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stages import paths
from stages.dataset import coco
from stages.evidence import compare, compare_arms, held_out, seed_spread
from stages.evidence.arm_roles import OLD, may_ship, roles
from stages.evidence.compare import Comparison
from stages.evidence.folds import FoldSeen
from stages.settings import Settings


def examine(product: str, folds: list[FoldSeen], params: Settings) -> tuple[dict, compare.Seen]:
    """Return the arms that may ship beside the old detector, on all folds together, and the decisions that follow; and
    what their detectors saw. `folds`: what was seen in each of them."""
    arms = {name: of for name, of in params.arms.items() if of.product == product}
    arms = {name: of for name, of in arms.items() if (compare_arms.folder(name, of) / "run.json").exists()}
    weights, part = compare_arms.weights(product, arms), roles(arms, params)
    tried = [name for name in may_ship(arms, params) if all(name in fold for fold in folds)]
    if not folds or not tried:
        return {"gate": undecided("no arm was run, or all photographs are nearly the same", OLD in weights)}, {}
    spreads = seed_spread.from_study()  # of one detector; each arm has one for every fold here
    kept = compare.known_products(weights, arms, product, params, params.now.evidence, spreads)
    seen = {name: [[scene for fold in folds for scene in fold[name]]] for name in tried}
    if old := weights.get(OLD):
        same = held_out.showing([scene.image for scene in seen[tried[0]][0]], params.now.evidence.imgsz)
        seen = {OLD: [held_out.seen(same, old[0])]} | seen
    images = len(next(iter(seen.values()))[0])
    count = len(folds)
    classes = len(coco.read(paths.ANNOTATIONS, masks=False).categories)
    folded = {measure: replace(spread, value=spread.value / np.sqrt(count)) for measure, spread in spreads.items()}
    of = Comparison(seen, classes, params, folded)
    gate = compare.decisions(of, arms, part, kept)
    by = f"; by {count} folds of its {images} training images, having no others"
    whole, against = {name: of.estimate(name, "map50_95") for name in seen}, compare.against(of, arms, part)
    return {
        "group": params.group(product), "images": images, "folds": count,
        "arms": {name: {"map50_95": one.value, "low": one.low, "high": one.high,
                        "against": against.get(name, {})} for name, one in whole.items()},
        "known": kept, "gate": gate | {key: gate[key] + by for key in ("include_fakes_why", "promote_product_why")},
    }, seen  # fmt: skip


def undecided(why: str, old: bool) -> dict:
    """Return the decisions where there is nothing to decide on: the old detector stays, if there is one."""
    return {"include_fakes": 0, "promote_product": 0, "promote_product_why": why, "detector_before": int(old)}

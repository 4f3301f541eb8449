"""All arms of a product beside each other: scores, differences with intervals, kinds of errors, two decisions."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from stages import paths, progress
from stages.dataset import coco
from stages.detector import metrics
from stages.detector.scenes import DetectedScene
from stages.evidence import arm_metrics, decision, errors, held_out, statistics
from stages.evidence.roles import OLD, Roles, from_scratch, roles
from stages.evidence.statistics import Difference, Scores
from stages.settings import Arm, Compared, Settings


def compare(
    weights: dict[str, list[Path]], arms: dict[str, Arm], product: str, params: Settings, how: Compared
) -> dict:
    """`weights`: of each arm one detector for each seed; of OLD one."""
    group = params.group(product)
    test = held_out.of([group], params, how.imgsz)
    scenes = {
        name: [held_out.sit(test, path) for path in of]
        for name, of in progress.bar(list(weights.items()), what=f"testing {product}", unit="arm")
    }
    scores = {name: scored(of, test.classes, params) for name, of in scenes.items()}
    part = roles({name: arm for name, arm in arms.items() if name in weights}, params)
    found = {}
    for name, of in scores.items():
        low, high = statistics.interval(statistics.resampled(of, params.seed))
        facts: dict = {
            "map50_95": of.value, "low": low, "high": high, "seeds": of.seeds.tolist(),
            "errors": means([errors.kinds(one, params.testing.confidence, params.testing.iou) for one in scenes[name]]),
            **arm_metrics.measured(scenes[name], test.classes, params.testing),
        }  # fmt: skip
        if part.few and part.ceiling and name not in (part.few, part.ceiling, OLD):
            way = statistics.recovered(of, scores[part.few], scores[part.ceiling], params.seed)
            facts["recovered"] = way
        found[name] = facts
    differences = against(scores, arms, part, params)
    for name, of in differences.items():
        found[name]["against"] = of
    kept = known_products(weights, part, product, params, how)
    return {
        "product": product, "group": group, "test_images": len(test.pictures),
        "test_objects": sum(int((~s.crowd).sum()) for s in next(iter(scenes.values()))[0]),
        "roles": asdict(part) | {"primary": params.evidence.primary}, "arms": found, "known": kept,
        "gate": decisions(differences, kept, part, params.evidence.primary, params.evidence.margin),
    }  # fmt: skip


def scored(of_seeds: list[list[DetectedScene]], classes: int, params: Settings) -> Scores:
    """mAP50-95 of an arm's detectors; draw k has the same images whatever the arm."""
    draws = [
        metrics.bootstrap(metrics.match(scenes, classes), params.evidence.resamplings, params.seed)[:, 1]
        for scenes in of_seeds
    ]
    return Scores(np.array([metrics.coco_map(scenes, classes)[1] for scenes in of_seeds]), np.array(draws))


def means(counts: list[dict[str, int]]) -> dict[str, float]:
    return {key: float(np.mean([of[key] for of in counts])) for key in counts[0]}


def against(scores: dict[str, Scores], arms: dict[str, Arm], part: Roles, params: Settings) -> dict[str, dict]:
    """Return each arm's differences to those it is measured against. The primary arm's stand as they are, the others' p
    values are Holm-corrected among all arms with the same opponent."""
    found: dict[str, dict] = {}
    for opponent in (part.few, part.baseline, part.warm, OLD):
        if opponent not in scores:
            continue
        warm = opponent in (part.warm, OLD)
        names = [n for n in scores if n not in (opponent, OLD) and warm == (not from_scratch(arms[n]))]
        if not warm:
            names = [n for n in names if n != part.few]
        apart = {n: statistics.difference(scores[n], scores[opponent], params.seed) for n in names}
        others = [n for n in names if n != params.evidence.primary]
        corrected = dict(zip(others, statistics.holm([apart[n].p for n in others]), strict=True))
        for name, of in apart.items():
            p = corrected.get(name, of.p)
            found.setdefault(name, {})[opponent] = asdict(of) | {"corrected": p, "word": statistics.word(of, p)}
    return found


def known_products(
    weights: dict[str, list[Path]], part: Roles, product: str, params: Settings, how: Compared
) -> dict[str, dict]:
    """Return how the old detector, and those that go on from it, do on the products known before."""
    dataset, group = coco.read(paths.ANNOTATIONS, masks=False), params.group(product)
    groups = [g for g in coco.grouped(dataset, params.dataset.groups) if g != group]
    names = [name for name in (OLD, part.warm, part.warm_fakes) if name in weights]
    if OLD not in names or not groups:
        return {}
    test = held_out.of(groups, params, how.imgsz)
    scores = {n: scored([held_out.sit(test, path) for path in weights[n]], test.classes, params) for n in names}
    return {
        name: {"map50_95": of.value, "test_images": len(test.pictures)}
        | ({"against": asdict(statistics.difference(of, scores[OLD], params.seed))} if name != OLD else {})
        for name, of in scores.items()
    }


def decisions(differences: dict[str, dict], known: dict[str, dict], part: Roles, primary: str, margin: float) -> dict:
    """The gate's, as facts."""

    def gain(name: str | None, opponent: str | None) -> Difference | None:
        found = differences.get(name or "", {}).get(opponent or "")
        return Difference(*(found[key] for key in ("value", "low", "high", "p"))) if found else None

    include = decision.include_fakes(primary, part.baseline or "the baseline", gain(primary, part.baseline))
    chosen = part.warm_fakes if include.yes and part.warm_fakes else part.warm
    lost = known.get(chosen or "", {}).get("against")
    promote = decision.promote(
        chosen or "no arm", gain(chosen, OLD), Difference(**lost) if lost else None, margin
    )  # fmt: skip
    return {
        "include_fakes": int(include.yes), "include_fakes_why": include.why,
        "promote_product": int(promote.yes), "promote_product_why": promote.why, "chosen": chosen,
    }  # fmt: skip

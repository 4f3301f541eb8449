"""All arms of a product beside each other: scores, differences with intervals, kinds of errors, two decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from stages import progress
from stages.detector import metrics
from stages.detector.scenes import DetectedScene
from stages.evidence import arm_metrics, decision, errors, held_out, statistics
from stages.evidence.arm_roles import OLD, Roles, from_scratch, may_ship, roles
from stages.evidence.decision import Offer
from stages.evidence.statistics import Difference, Scores, Spread
from stages.settings import Arm, Compared, Settings

Seen = dict[str, list[list[DetectedScene]]]  # of each arm: what the detector of each seed sees in every test image
IMAGE_DRAWS = 1000  # of the test images, over which scores are taken
MEASURES = ("map50_95", "found", "score")
ELSEWHERE = 6  # degrees of freedom that a spread counts for, at most, which other products and photographs told
Spreads = Mapping[str, Spread]  # of each measure, where it is known; known_…: on the known products


class Comparison:
    """The arms' scores on the same images, and what can be said of them.

    How much seeds change is read from all arms together, but the old detector and those that learnt from photographs as
    they are (`untypical`), and from a longer comparison, which `spreads` tells of each measure: from two seeds of few
    arms alone hardly anything could be said.
    """

    def __init__(
        self, seen: Seen, classes: int, params: Settings, spreads: Spreads, untypical: Iterable[str | None] = ()
    ):
        self.params, self.spreads, self.untypical = params, spreads, {OLD, *untypical}
        self.scores = {name: scored(of, classes, params) for name, of in seen.items()}

    def sampling(self, measure: str) -> statistics.Sampling:
        """Return how a measure is drawn again."""
        typical = [[of[measure]] for name, of in self.scores.items() if name not in self.untypical]
        own, longer = statistics.spread(typical), self.spreads.get(measure)
        spread = own.with_more(longer, ELSEWHERE) if own else longer
        return statistics.Sampling(self.params.evidence.resamplings, self.params.seed, spread)

    def estimate(self, name: str, measure: str) -> statistics.Interval:
        """Return an arm's value with its interval."""
        return statistics.estimate([self.scores[name][measure]], self.sampling(measure))

    def difference(self, name: str, opponent: str, measure: str = "map50_95") -> Difference:
        """Return by how much an arm is better than its opponent."""
        a, b = ([self.scores[of][measure]] for of in (name, opponent))
        return statistics.difference(a, b, self.sampling(measure))

    def closed(self, name: str, part: Roles, end: str | None) -> statistics.Interval | None:
        """Return how much of the way from the baseline to an arm made of all images another has gone."""
        if not part.baseline or not end or end == part.baseline or name in (part.few, part.baseline, end, OLD):
            return None
        arm, start, all_ = ([self.scores[of]["map50_95"]] for of in (name, part.baseline, end))
        return statistics.closed(arm, start, all_, self.sampling("map50_95"))


def compare(
    weights: dict[str, list[Path]], arms: dict[str, Arm], product: str, params: Settings, how: Compared,
    spreads: Spreads,
) -> dict:  # fmt: skip
    """Return all that is said of a product's arms. `weights`: one detector for each seed of an arm; of OLD one."""
    group = params.group(product)
    test = held_out.of([group], params, how.imgsz)
    seen = looked(weights, test, f"testing {product}")
    part = roles({name: arm for name, arm in arms.items() if name in weights}, params)
    of = Comparison(seen, test.classes, params, spreads, [part.few])
    found = {name: facts(name, scenes, of, part, test.classes) for name, scenes in seen.items()}
    for station, there in held_out.shifted(group, how.imgsz).items():
        for name, scenes in looked(weights, there, f"testing {product}, {station}").items():
            value = np.mean([metrics.coco_map(one, there.classes)[1] for one in scenes])
            found[name].setdefault("shifted", {})[station] = float(value)
    for name, apart in against(of, arms, part).items():
        found[name]["against"] = apart
    kept = known_products(weights, arms, product, params, how, spreads)
    return {
        "product": product, "group": group, "test_images": len(test.pictures),
        "test_objects": sum(int((~s.crowd).sum()) for s in next(iter(seen.values()))[0]),
        "roles": asdict(part) | {"primary": params.evidence.primary}, "arms": found, "known": kept,
        "gate": decisions(of, arms, part, kept),
    }  # fmt: skip


def looked(weights: dict[str, list[Path]], test: held_out.HeldOut, title: str) -> Seen:
    """Return what every detector sees in some images."""
    items = progress.bar(list(weights.items()), what=title, unit="arm")
    return {name: [held_out.seen(test, path) for path in of] for name, of in items}


def facts(name: str, scenes: list[list[DetectedScene]], of: Comparison, part: Roles, classes: int) -> dict:
    """Return what is said of one arm alone."""
    testing, scores = of.params.testing, of.scores[name]
    whole = of.estimate(name, "map50_95")
    found: dict = {
        "map50_95": whole.value, "low": whole.low, "high": whole.high, "seeds": scores["map50_95"].runs.tolist(),
        "score": asdict(of.estimate(name, "score")),
        "errors": means([errors.kinds(one, testing.confidence, testing.iou) for one in scenes]),
        **arm_metrics.measured(scenes, classes, testing),
    }  # fmt: skip
    for key, end in (("closed", part.ceiling), ("closed_warm", part.warm_ceiling)):
        if way := of.closed(name, part, end):
            found[key] = asdict(way)
    return found


def scored(of_seeds: list[list[DetectedScene]], classes: int, params: Settings) -> dict[str, Scores]:
    """Return an arm's scores, by measure; draw k has the same images whatever the arm."""
    of = [scores_of(scenes, classes, params) for scenes in of_seeds]
    return {m: Scores(np.array([runs[m][0] for runs in of]), np.stack([runs[m][1] for runs in of])) for m in MEASURES}


def scores_of(scenes: Sequence[DetectedScene], classes: int, params: Settings) -> dict[str, tuple[float, np.ndarray]]:
    """Return a detector's score over all images, and over each draw of them, by measure."""
    precision = metrics.bootstrap(metrics.match(scenes, classes), IMAGE_DRAWS, params.seed)[:, 1]
    counts = np.array([metrics.found(s, params.testing.confidence, params.testing.iou)[:2] for s in scenes], float)
    drawn = np.stack(list(metrics.image_draws(len(scenes), IMAGE_DRAWS, params.seed))) @ counts
    found = counts[:, 0].sum() / max(1, counts[:, 1].sum()), drawn[:, 0] / np.maximum(drawn[:, 1], 1)
    value = metrics.coco_map(scenes, classes)[1]
    score = (value + found[0]) / 2, (precision + found[1]) / 2
    return {"map50_95": (value, precision), "found": found, "score": score}


def means(counts: list[dict[str, int]]) -> dict[str, float]:
    """Return the mean of each entry."""
    return {key: float(np.mean([of[key] for of in counts])) for key in counts[0]}


def against(of: Comparison, arms: dict[str, Arm], part: Roles) -> dict[str, dict]:
    """Return each arm's differences to those it is measured against. The primary arm's stand as they are; the p values
    of the others that compete are Holm-corrected among all with the same opponent."""
    found: dict[str, dict] = {}
    competing = may_ship(arms, of.params)
    for opponent in (part.few, part.baseline, part.warm, OLD):
        if opponent not in of.scores:
            continue
        names = [n for n in of.scores if n not in (opponent, OLD, part.few)]
        if opponent in (part.few, part.warm):
            names = [n for n in names if from_scratch(arms[n]) == (opponent == part.few)]
        apart = {n: of.difference(n, opponent) for n in names}
        others = [n for n in names if n in competing and n != of.params.evidence.primary]
        corrected = dict(zip(others, statistics.holm([apart[n].p for n in others]), strict=True))
        for name, one in apart.items():
            p = corrected.get(name, one.p)
            found.setdefault(name, {})[opponent] = asdict(one) | {"corrected": p, "word": statistics.word(one, p)}
    return found


def known_products(
    weights: dict[str, list[Path]], arms: dict[str, Arm], product: str, params: Settings, how: Compared,
    spreads: Spreads,
) -> dict[str, dict]:  # fmt: skip
    """Return how the old detector, and those that go on from it, do on the products known before."""
    groups = held_out.other_groups(product, params)
    names = [OLD, *(name for name, arm in may_ship(arms, params).items() if not from_scratch(arm))]
    names = [name for name in names if name in weights]
    if OLD not in names or not held_out.there(groups, params):
        return {}
    test = held_out.of(groups, params, how.imgsz)
    seen = looked({name: weights[name] for name in names}, test, "testing the known products")
    on_these = {measure: spreads[f"known_{measure}"] for measure in MEASURES if f"known_{measure}" in spreads}
    of = Comparison(seen, test.classes, params, on_these)
    return {
        name: {m: of.estimate(name, m).value for m in ("map50_95", "found")} | {"test_images": len(test.pictures)}
        | ({"against": {m: asdict(of.difference(name, OLD, m)) for m in ("map50_95", "found")}} if name != OLD else {})
        for name in names
    }  # fmt: skip


def decisions(of: Comparison, arms: dict[str, Arm], part: Roles, kept: dict[str, dict]) -> dict:
    """Return both decisions as facts. Where fakes are not shown to help, no arm with fakes is chosen."""
    rule, there = of.params.evidence, of.scores.keys()
    primary, baseline = rule.primary, part.baseline
    tried = primary in there and baseline in there
    include = decision.include_fakes(
        primary, baseline or "the baseline", of.difference(primary, baseline) if tried and baseline else None
    )
    offers = []
    for name, arm in may_ship(arms, of.params).items():
        if name not in there or (arm.ratio and not include.yes):
            continue
        if from_scratch(arm):
            held = None
        elif "against" not in kept.get(name, {}):
            continue
        else:
            held = tuple(Difference(**kept[name]["against"][m]) for m in ("map50_95", "found"))
        gain = of.difference(name, OLD, "score") if OLD in there else None
        offers.append(Offer(name, of.estimate(name, "score"), of.estimate(name, "found"), gain, held))
    promote = decision.promote(offers, rule.margin, rule.least_found)
    return {
        "include_fakes": int(include.yes), "include_fakes_why": include.why,
        "promote_product": int(promote.yes), "promote_product_why": promote.why, "chosen": promote.chosen,
        "detector_before": int(OLD in there),
    }  # fmt: skip

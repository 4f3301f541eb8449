"""How far the judge can be trusted: on every product of the dataset in turn, by the detectors of its judges.

Every time one product is judged as if it had just come: ten photographs of it are its judge's own, its limits are
calibrated on other products alone, and of further photographs of it, which no judge has seen, are made the planted
candidates, whose true colours are known. These photographs themselves should be green, as should pictures that are
composed of the ten. Of its own product a detector has seen the ten alone (`judge of focus: tube_mint`); of the others
many more, if not the ones that candidates are made of here.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks import conditions
from stages import command, files, paths, settings, tables
from stages.dataset import coco
from stages.detector import predict
from stages.judge import (
    calibrate,
    candidate_pictures,
    limits,
    picture_judge,
    planted,
    quality,
    reference,
    salience,
)
from stages.judge.colours import COLOURS, interval
from stages.judge.copies import LITTLE, copies
from stages.judge.limits import Trial
from stages.judge.reference import Reference
from stages.settings import Settings
from stages.training import parallel

PLANTED, COPIES, REAL, COMPOSED = 60, 84, 60, 50  # candidates of each product; planted ones: of each colour
FEW = calibrate.FEW
PRODUCTS = ("focus", "other")  # that have judges


@dataclass
class Tally:
    """What candidates were called; of planted ones, their true colour and what they were called."""

    planted: list[tuple[str, str]] = field(default_factory=list)
    spoilt: list[tuple[str, str]] = field(default_factory=list)  # the same of new pictures, spoilt in more ways
    copies: list[str] = field(default_factory=list)
    real: list[str] = field(default_factory=list)
    composed: list[str] = field(default_factory=list)
    seconds: float = 0.0  # of a core

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.planted + other.planted, self.spoilt + other.spoilt, self.copies + other.copies,
            self.real + other.real, self.composed + other.composed, self.seconds + other.seconds,
        )  # fmt: skip

    def figures(self) -> dict[str, object]:
        green = {"real": self.real, "composed": self.composed}
        return {
            **rightly("planted", self.planted), **rightly("spoilt in seven ways", self.spoilt),
            "copies accepted": f"{self.copies.count('green')} of {len(self.copies)}",
            **{f"{name} green": share(said.count("green"), len(said)) for name, said in green.items() if said},
            **{f"{name} called": dict(Counter(said)) for name, said in green.items() if said},
        }  # fmt: skip


def rightly(name: str, pairs: list[tuple[str, str]]) -> dict[str, object]:
    """Return which share of candidates of known colour is called so, in all and of each colour."""
    right, of = Counter(a for a, b in pairs if a == b), Counter(a for a, _ in pairs)
    found: dict[str, object] = {name: share(right.total(), of.total())} if pairs else {}
    return found | {f"{name}, {colour}": round(right[colour] / of[colour], 3) for colour in COLOURS if of[colour]}


def share(hits: int, of: int) -> str:
    """Return a share with its 95 % interval."""
    low, high = interval(hits, of)
    return f"{hits / of:.3f} ({low:.3f} to {high:.3f}) of {of}" if of else "none"


def main() -> None:
    params = settings.load()
    with parallel.trainings(len(PRODUCTS)) as pool:
        found = {f"judge of {product}": pool.submit(here, product, params) for product in PRODUCTS}
        told = {name: of.result() for name, of in found.items()}
    conditions.record("judge", figures(told), ("torch", "ultralytics-opencv-headless"))


def figures(found: dict[str, dict[str, Tally]]) -> dict[str, object]:
    """Return what is measured of some judges: all together, all products of each together, then each product."""
    every = sum((tally for of in found.values() for tally in of.values()), Tally())
    judged = sum(len(of) for of in (every.planted, every.spoilt, every.copies, every.real, every.composed))
    told: dict[str, object] = {
        "candidates judged a second, on one core": round(judged / every.seconds, 1), "all": every.figures(),
    }  # fmt: skip
    for name, of in found.items():
        told[name] = sum(of.values(), Tally()).figures()
        told |= {f"{name}: {product}": tally.figures() for product, tally in of.items()}
    return told


def here(product: str, params: Settings) -> dict[str, Tally]:
    """Return how each product of the dataset is judged by the detector of one product's judge, this one first."""
    weights, mine = paths.trained(product, "judge"), params.group(product)
    others = {
        group: (few, unseen)
        for group in calibrate.known_groups(params, product)
        if (few := calibrate.known(params, product, group, "train", slice(FEW)))
        and (unseen := calibrate.known(params, product, group, "val", slice(None)))
    }
    trials = {
        group: calibrate.trial(few, unseen.part(list(range(0, len(unseen), 2))), weights, params)
        for group, (few, unseen) in others.items()
    }
    own, rest = (
        reference.read([paths.SUBSETS / params.known_subset(product)], params.now.judge.size),
        unused(product, params),
    )
    tallies = {mine: tally(weights, own, rest, composed(product, params), list(trials.values()), params)}
    for group, (few, unseen) in others.items():
        left = [trial for name, trial in trials.items() if name != group]
        tallies[group] = tally(weights, few, unseen, None, left, params)
    return tallies


def unused(product: str, params: Settings) -> Reference:
    """Return photographs of a product that no judge has seen, and no test will."""
    dataset, split = coco.read(paths.ANNOTATIONS), files.read_json(paths.SPLIT)
    known = {i.id for i in coco.read(paths.SUBSETS / params.known_subset(product) / "annotations.json").images}
    group = coco.grouped(dataset, params.dataset.groups)[params.group(product)]
    ids = [i.id for part in ("val", "train") for i in group if i.id in split[part] and i.id not in known]
    unseen = reference.of_ids(ids[:REAL], params)
    assert unseen is not None  # the built-in products have more photographs than the ten
    return unseen


def composed(product: str, params: Settings) -> np.ndarray | None:
    """Return pictures that were composed of a product's ten photographs, where there are some."""
    for name, asked in params.compositions.items():
        folder = paths.CANDIDATES / name
        if asked.product == product and asked.how == "paste" and files.there(folder / "manifest.csv"):
            manifest = tables.read(folder / "manifest.csv").head(COMPOSED)
            return candidate_pictures.load(folder, manifest, params.now.judge.size)
    return None


def tally(
    weights: Path, own: Reference, rest: Reference, composed: np.ndarray | None, trials: list[Trial], params: Settings
) -> Tally:
    """Return how a product is judged of which `own` images are known, by what `rest` and composed pictures show."""
    rule, imgsz, rng = params.judge, params.now.judge.imgsz, np.random.default_rng(params.seed)
    changed = np.concatenate([copies(one, rule.copies, rule.shift, rng, LITTLE) for one in own.pixels])
    seen = quality.look(weights, changed, imgsz, params.testing.confidence)
    trials = [*trials, calibrate.of_itself(own, weights, params)]
    within, copy = limits.limits(own, seen, trials, rule), limits.copy_limit(own, rule, params.seed)
    empty, known = salience.empty(own), limits.known_features(trials)

    def judge(training: Reference) -> picture_judge.PictureJudge:
        features = predict.features(weights, training.pixels, imgsz)
        return picture_judge.PictureJudge(weights, training, empty, copy, within, features, known)

    def said(pixels: np.ndarray, by: picture_judge.PictureJudge) -> list[str]:
        return [one.colour for one in picture_judge.judge(pixels, by, params)]

    of_rest, of_own = judge(rest), judge(own)
    pixels, truth = planted.planted(rest, own, PLANTED, rule.shift, params.seed)
    spoilt, colours = planted.graded(rest, own, PLANTED, params.seed + 1)
    copied = np.stack([copies(rest.pixels[k], 1, rule.shift, rng)[0] for k in rng.integers(len(rest), size=COPIES)])
    began = time.process_time()
    return Tally(
        list(zip(truth, said(pixels, of_rest), strict=True)),
        list(zip(colours, said(spoilt, of_rest), strict=True)) if colours else [],
        said(copied, of_rest), said(rest.pixels, of_own),
        [] if composed is None else said(composed, of_own), time.process_time() - began,
    )  # fmt: skip


if __name__ == "__main__":
    command.run(main, __doc__)

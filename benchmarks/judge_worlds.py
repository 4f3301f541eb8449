"""How far the judge can be trusted in a world that it was not made for: other light, format and photographs.

As benchmarks/judge.py has it, but the photographs are drawn here and the detector is trained here, on few of them, and
as long as every judge's: it knows ten photographs of each product that is judged.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from benchmarks import conditions, judge
from benchmarks.judge import COMPOSED, FEW, Tally
from stages import command, files, paths, settings
from stages.compose import paste
from stages.dataset import coco
from stages.dataset import subset as subsets
from stages.dataset.bins import world
from stages.dataset.bins.world import Photograph
from stages.detector import model
from stages.evidence import remade_arm
from stages.judge import calibrate, candidate_pictures, reference, train
from stages.judge.reference import Reference
from stages.schema import Bins
from stages.settings import Settings
from stages.training import parallel

KNOWN, STRANGE = ("tube_mint", "bottle_amber", "can_cobalt", "spray_night"), ("tube_coral", "bottle_forest", "can_rose")
PHOTOGRAPHS, VALIDATION = 30, 8  # of each product; of known ones, so many are kept from the detector
REPEATED = 3  # times that the detector is shown the ten of each strange product
LEARNT = 5  # photographs of each known product that composing learns from
WORK = paths.CHECKPOINTS / "judge_worlds"


@dataclass(frozen=True)
class World:
    seed: int
    size: tuple[int, int]
    station: str | None = None  # one of scene.SHIFTED; None: the built-in one


WORLDS = {
    "480×360, seed 7": World(7, (480, 360)),
    "dim and slanting light, seed 13": World(13, (640, 360), "other_light"),
}


def main() -> None:
    params = settings.load()
    for name, of in WORLDS.items():
        photographed(of, WORK / name)
    with parallel.trainings(len(WORLDS)) as pool:
        waiting = {name: pool.submit(elsewhere, name, params) for name in WORLDS}
        found = {
            f"{name}, {drawn} pixels": tallies
            for name, of in waiting.items() for drawn, tallies in of.result().items()
        }  # fmt: skip
    conditions.record("judge_worlds", judge.figures(found), ("torch", "ultralytics-opencv-headless"))
    shutil.rmtree(WORK)


def photographed(of: World, folder: Path) -> None:
    """Take a world's photographs, unless they are there."""
    wanted = [
        Photograph(product, number, count, True, of.station)  # testing ones: without the faults that others have
        for product in (*KNOWN, *STRANGE)
        for number, count in enumerate(world.objects_per_image(product, PHOTOGRAPHS), 1)
    ]
    if not folder.exists():
        with files.replacing(folder) as into:
            world.take(wanted, Bins(*of.size, {}, {}, 0), of.seed, into, folder.name)


def elsewhere(name: str, params: Settings) -> dict[int, dict[str, Tally]]:
    """Return how the strange products of another world are judged, by the size of what is judged: of what GANs draw,
    and of what is composed."""
    place, size = WORK / name, params.now.judge.size
    dataset = coco.read(place / "annotations.json")
    groups = {group: [i.id for i in of] for group, of in coco.grouped(dataset, params.dataset.groups).items()}

    def images(ids: list[int], drawn: int) -> Reference:
        return reference.of(coco.subset(dataset, ids), place / "images", size, drawn)

    mixed = {product: np.random.default_rng(0).permutation(groups[product]).tolist() for product in KNOWN}
    told = [id_ for ids in mixed.values() for id_ in ids[:-VALIDATION]]
    held = [id_ for ids in mixed.values() for id_ in ids[-VALIDATION:]]
    tens = {product: ten(coco.subset(dataset, groups[product]), params) for product in STRANGE}
    mine = [id_ for ids in tens.values() for id_ in ids]
    parts = {"train": (told + mine * REPEATED) * train.VARIANTS, "val": held}
    weights = detector(dataset, parts, place, params)
    known = remade_arm.some(
        dataset, [id_ for ids in mixed.values() for id_ in ids[:LEARNT]], place / "images", place / "known"
    )
    composed = {}
    for product, ids in tens.items():
        stock = paste.stock(remade_arm.some(dataset, ids, place / "images", place / product), known, None, None)
        composed[product] = [paste.compose(stock, k)[0] for k in range(COMPOSED)]
    tallies: dict[int, dict[str, Tally]] = {}
    for drawn in candidate_pictures.sides(params):
        trials = [
            calibrate.trial(images(ids[:FEW], drawn), images(ids[-VALIDATION:], drawn), weights, params)
            for ids in mixed.values()
        ]
        for product, ids in tens.items():
            made = np.stack([reference.squared(picture, size, drawn) for picture in composed[product]])
            rest = images([id_ for id_ in groups[product] if id_ not in ids], drawn)
            tally = judge.tally(weights, images(ids, drawn), rest, made, trials, params)
            tallies.setdefault(drawn, {})[product] = tally
    return tallies


def ten(of: coco.Coco, params: Settings) -> list[int]:
    """Return the photographs of a product that its judge may see, chosen as those of the product in focus."""
    return [id_ for id_, _ in subsets.pick(of, params.subsets["ten"], params.seed, "ten")]


def detector(dataset: coco.Coco, parts: dict[str, list[int]], place: Path, params: Settings) -> Path:
    """Train a detector that judges, as the stage does; return its weights."""
    weights = place / "last.pt"
    if not weights.exists():
        train.write(dataset, parts, place / "images", place / "data", candidate_pictures.sides(params), params.seed)
        rule = msgspec.structs.replace(train.rule(params), validations=1)
        trained = model.train(place / "data", rule, params.seed, WORK, f"detector that judges, {place.name}")
        files.write(weights, trained.last.read_bytes())
    return weights


if __name__ == "__main__":
    command.run(main, __doc__)

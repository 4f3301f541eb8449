"""A product that came with its few photographs alone, examined on these: each by a detector that has not seen it.

The images are dealt to folds before anything is made of them. For each fold the cheap generators are run again on the
other images alone, detectors are trained on these, and are tested on the fold. No judge has a say, because it has seen
all of the images. What is trained stays among the checkpoints until all is.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from msgspec import to_builtins

from stages import files, left_out, paths
from stages.dataset import coco
from stages.detector.scenes import DetectedScene
from stages.evidence import held_out, remade_arm, unseen_results
from stages.evidence.arm_roles import may_ship
from stages.evidence.remade_arm import Photographs
from stages.problem import Problem
from stages.settings import NONE, Arm, Settings, named_folder
from stages.training import parallel

FOLDS = 3  # each costs a training for every arm

FoldSeen = dict[str, list[DetectedScene]]  # what the detector of each arm sees in a fold's photographs


def read() -> list[FoldSeen]:
    """Return what was seen in each fold (fold.py)."""
    if len(list(paths.FOLDS.glob("*.json"))) < FOLDS:
        raise Problem(f"{paths.FOLDS} lacks folds: `dvc repro fold`, or name `fold` in arrival.targets of params.yaml")
    found = [files.read_json(path) for path in sorted(paths.FOLDS.glob("*.json"))]
    return [{name: unseen_results.read(of).scenes for name, of in fold.items()} for fold in found if fold]


def competing(product: str, params: Settings) -> dict[str, Arm]:
    """Return the arms that are examined by folds: those which are run for a product that comes (`arrival.targets`), if
    they may ship, and can be made anew of some of its photographs."""
    targets = params.arrival.targets
    arms = {name: of for name, of in params.arms.items() if "arm" in targets or f"arm@{name}" in targets}
    run = {name: of for name, of in arms.items() if of.product == product and not of.skip and _there(of)}
    return {name: of for name, of in may_ship(run, params).items() if possible(of, params)}


def _there(of: Arm) -> bool:
    """Return whether the dataset has the photographs that an arm's detector learns from, or goes on from."""
    return not any(left_out.why(folder) for folder in (paths.SUBSETS / of.subset, Path(of.start)))


def looked(arms: dict[str, Arm], numbers: Iterable[int], params: Settings) -> list[FoldSeen]:
    """Return what arms' detectors see in each of some folds of the photographs that the arms are made of: each is seen
    by a detector that has not learnt from it."""
    real = paths.SUBSETS / next(iter(arms.values())).subset
    mark = files.fingerprint(
        real, params.seed, params.now.composed,
        *(files.digest(start / "last.pt") for of in arms.values() if (start := named_folder(of.start))),
        *(files.digest(known / "annotations.json") for of in arms.values()
          if (known := named_folder(params.others(of)))),
        *(to_builtins(of) for of in (arms, params.now.evidence, params.now.detector, params.evidence)),
        to_builtins(params.augmentations), to_builtins(params.compositions),
    )  # fmt: skip
    dealt_to = dealt(real.name, params)
    work = {number: paths.CHECKPOINTS / "folds" / params.scale / f"{mark}_{number}" for number in numbers}
    longest_first = sorted(arms.items(), key=lambda one: -one[1].ratio)  # fakes have to be composed
    with parallel.trainings(len(arms) * len(work)) as pool:
        jobs = {
            (name, number): pool.submit(detector, name, of, real, dealt_to[number], place / name, params)
            for name, of in longest_first for number, place in work.items()
        }  # fmt: skip
        made = {key: job.result() for key, job in jobs.items()}
    seen = []
    for number, place in work.items():
        test = held_out.showing(dealt_to[number], params.now.evidence.imgsz)
        seen.append({name: held_out.seen(test, made[name, number]) for name in arms})
        shutil.rmtree(place)
    return seen


def possible(of: Arm, params: Settings) -> bool:
    """Return whether all that an arm has can be made anew for each fold: its fakes by cheap means, and no labels by
    detectors, which would have to be trained first; and whether there is more than one fold."""
    cheap = of.labelled == NONE and (not of.ratio or params.composition(of) in params.arrival.generators)
    return cheap and len(dealt(of.subset, params)) > 1


def dealt(subset: str, params: Settings) -> list[list[int]]:
    """Return the folds of a subset's images."""
    images = coco.read(paths.SUBSETS / subset / "annotations.json", masks=False).images
    return deal([image.id for image in images], files.read_json(paths.NEAR_DUPLICATES), params.seed)


def deal(ids: list[int], near: list[list[int]], seed: int) -> list[list[int]]:
    """Return folds of nearly equal size. What is nearly the same (`near`: lists of ids) is in one of them: else what is
    tested on would have been learnt."""
    like = {id_: of[0] for of in near for id_ in of}
    mixed: list[int] = np.random.default_rng(seed).permutation(ids).tolist()
    units: dict[int, list[int]] = {}
    for id_ in mixed:
        units.setdefault(like.get(id_, id_), []).append(id_)
    folds: list[list[int]] = [[] for _ in range(min(FOLDS, len(units)))]
    for unit in sorted(units.values(), key=len, reverse=True):
        min(folds, key=len).extend(unit)
    return [sorted(fold) for fold in folds]


def detector(name: str, of: Arm, real: Path, held: list[int], place: Path, params: Settings) -> Path:
    """Return the weights of an arm's detector that has not seen the images held back, nor anything made of them."""
    if not (done := place / "done.pt").exists():
        dataset = coco.read(real / "annotations.json")
        left = [image.id for image in dataset.images if image.id not in held]
        own = remade_arm.some(dataset, left, real / "images", place / "own")
        mine, how = Photographs(own, named_folder(params.others(of)), named_folder(of.start)), params.now.evidence
        made = remade_arm.train(of, mine, how, params.seed, place, f"{name}, without {len(held)} images", params)
        made.weights.rename(done)
    return done

"""Choose settings of the evidence on the product `other`, of which no answer is ever given.

Each setting trains detectors on random draws of ten of its training photographs, all of them with the same draws and
seeds, and is scored on its other images, those of the test split too, because nothing else is said of this product.
Figures: mAP50-95, and the difference to the first setting with its interval.
"""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import msgspec
import numpy as np

from benchmarks import conditions
from stages import command, files, paths, settings
from stages.dataset import coco
from stages.dataset import subset as subsets
from stages.detector import metrics, model
from stages.evidence import arm_metrics, held_out, known_detector, remade_arm, statistics
from stages.evidence.held_out import HeldOut
from stages.evidence.remade_arm import Photographs
from stages.evidence.statistics import Sampling, Scores
from stages.problem import Problem
from stages.settings import Arm, Compared, Settings, Subset
from stages.training import parallel
from stages.wording import gain_within

DRAWS, COUNT = 2, 10
NMS = (0.4, 0.5, 0.6, 0.7, 0.8)
IMAGE_DRAWS = 500
SHOWN, MANY = 0.4, 1500  # share of real images in an epoch, and fakes, where these are not what is chosen
FLIPS = {"fliplr": 0.5, "flipud": 0.5}
MOVED = FLIPS | {"translate": 0.05, "scale": 0.1}
COLOUR = MOVED | {"hsv_h": 0.015, "hsv_s": 0.4, "hsv_v": 0.3}
TURNED = COLOUR | {"degrees": 180}
WORK = paths.CHECKPOINTS / "choose"


@dataclass(frozen=True)
class Tried:
    """One setting: an arm, how it is trained, by which params.yaml, of how many photographs (None: all), and whether
    these have outlines, or boxes alone."""

    arm: Arm
    how: Compared
    params: Settings
    count: int | None = COUNT
    outlined: bool = True


def steps(params: Settings) -> dict[str, Tried]:
    """How long to train: until the order of the arms no longer changes."""
    return {
        f"{name}, {count} steps": Tried(params.arms[of], changed(params, steps=count), params, few)
        for count in (400, 1200, 3600)
        for name, of, few in (("ten_standard", "ten_standard", COUNT), ("paste", "paste", COUNT),
                              ("all", "ten_standard", None))
    }  # fmt: skip


def augmentation(params: Settings) -> dict[str, Tried]:
    """The standard augmentation, and the baselines that ultralytics brings."""
    kinds = {
        "plain": {}, "flips": FLIPS, "flips, shift, scale": MOVED, "… and colour": COLOUR, "… and rotation": TURNED,
        "… and wider scale, shift": TURNED | {"translate": 0.15, "scale": 0.3},
        "rotation and mosaic": TURNED | {"mosaic": 0.5}, "rotation and copy_paste": TURNED | {"copy_paste": 0.5},
    }  # fmt: skip
    return {
        name: Tried(params.arms["ten_standard"], changed(params), augmented(params, of)) for name, of in kinds.items()
    }


def boxes(params: Settings) -> dict[str, Tried]:
    """Whether photographs that are annotated by boxes alone are turned, and what outlines would bring."""
    arm, how = params.arms["ten_standard"], changed(params)
    return {
        "boxes, not turned": Tried(arm, how, augmented(params, COLOUR), outlined=False),
        "boxes, turned by quarters": Tried(arm, how, augmented(params, TURNED), outlined=False),
        "outlines, turned": Tried(arm, how, augmented(params, TURNED)),
    }


def scenes(params: Settings) -> dict[str, Tried]:
    """How fakes are composed."""
    found = {"ten_standard": Tried(params.arms["ten_standard"], changed(params), params)}
    for made in ("paste", "paste_alone"):
        by = msgspec.structs.replace(params, compositions=params.compositions | {"paste": params.compositions[made]})
        found[made] = Tried(*of_fakes(by, "paste", SHOWN, MANY))
    return found


def of_fakes(params: Settings, arm: str, real: float, count: int) -> tuple[Arm, Compared, Settings]:
    """Return an arm with so many fakes, which real images are such a share of each epoch beside."""
    asked = msgspec.structs.replace(params.arms[arm], ratio=max(1, count // COUNT))
    by = evidence(params, real=real)
    by = msgspec.structs.replace(by, scales=by.scales | {by.scale: msgspec.structs.replace(by.now, composed=count)})
    return asked, changed(params), by


def share(params: Settings) -> dict[str, Tried]:
    """How much of an epoch the real images are, and of how many fakes the rest."""
    found = {"ten_standard": Tried(params.arms["ten_standard"], changed(params), params)}
    for real, count in ((0.7, 300), (0.4, 300), (0.4, 1500), (0.2, 1500), (0.2, 6000)):
        found[f"real {real}, {count} fakes"] = Tried(*of_fakes(params, "paste", real, count))
    return found


def warm(params: Settings) -> dict[str, Tried]:
    """What goes on from the known products' detector: their share of an epoch, and the learning rate."""
    found = {}
    for part, rate in ((0.5, 1.0), (0.3, 1.0), (0.15, 1.0), (0.3, 0.5)):
        by = evidence(params, known=part, warm_lr=rate)
        found[f"warm_paste, known {part}, rate × {rate}"] = Tried(*of_fakes(by, "warm_paste", SHOWN, MANY))
    for name, count in (("warm_ten", COUNT), ("warm_all", None)):
        found[name] = Tried(params.arms["warm_ten"], changed(params), params, count)
    return found


def nms(params: Settings) -> dict[str, Tried]:
    """The overlap above which the less sure of two detections is dropped: one detector, looked at in several ways."""
    return {"ten_standard": Tried(params.arms["ten_standard"], changed(params), params)}


def crop(params: Settings) -> dict[str, Tried]:
    """How large pictures are looked at, and how large the squares are that are cut out of them to train on."""
    paste = Tried(*of_fakes(params, "paste", SHOWN, MANY))
    return {
        f"looked at with {imgsz} px, trained on {side}": replace(paste, how=changed(params, imgsz=imgsz, crop=side))
        for imgsz, side in ((128, 64), (192, 64), (192, 96), (256, 96), (320, 96))
    }


CHOICES: dict[str, Callable[[Settings], dict[str, Tried]]] = {
    "steps": steps, "augmentation": augmentation, "boxes": boxes, "scenes": scenes, "share": share, "warm": warm,
    "nms": nms, "crop": crop,
}  # fmt: skip


def main(which: str) -> None:
    params = settings.load()
    if which not in CHOICES:
        raise Problem(f"there is no choice {which!r}; there are {', '.join(CHOICES)}")
    tried, work = CHOICES[which](params), WORK / which
    own, known = prepared(params, work)
    jobs = list(product(tried, range(DRAWS)))
    with parallel.trainings(len(jobs)) as pool:
        of = Photographs(own, known, work / "start")
        if which == "warm":
            pool.submit(start, of, params, work).result()
        scores = list(pool.map(score, *zip(*((tried[name], of, draw, work) for name, draw in jobs), strict=True)))
    images = len(test(params, params.now.study.imgsz).pictures)
    figures: dict = {"images": images, "batch": params.now.study.batch, "draws": DRAWS}
    rows = {name: [s for (n, _), s in zip(jobs, scores, strict=True) if n == name] for name in tried}
    whole = {
        name: [Scores(np.array([s["map"] for s in of]), np.array([s["draws"] for s in of]))]
        for name, of in rows.items()
    }
    first = next(iter(whole.values()))
    by = Sampling(10_000, 0, statistics.spread(list(whole.values())))
    for name, of in whole.items():
        gain = statistics.difference(of, first, by)
        figures[name] = f"{statistics.value(of):.3f}, {gain_within(gain.value, gain.low, gain.high)}"
        figures[f"{name}, of each draw"] = [round(run, 4) for run in of[0].runs]
        if which == "nms":
            for limit in NMS:
                looks = np.mean([s["nms"][limit] for s in rows[name]], 0)
                figures[f"{limit}: mAP50-95, found, doubles"] = looks.round(4).tolist()
        if which == "warm":
            figures[f"{name}, on known products"] = [round(s["known"], 4) for s in rows[name]]
    conditions.record(f"choose_{which}", figures, ("torch", "ultralytics-opencv-headless"))
    shutil.rmtree(work)


def changed(params: Settings, **changes: int) -> Compared:
    """Return how a study trains, with something else."""
    return msgspec.structs.replace(params.now.study, **changes)


def evidence(params: Settings, **changes: float) -> Settings:
    return msgspec.structs.replace(params, evidence=msgspec.structs.replace(params.evidence, **changes))


def augmented(params: Settings, changes: dict[str, float]) -> Settings:
    """Return the settings with another standard augmentation: plain, with some changes."""
    standard = msgspec.structs.replace(params.augmentations["plain"], **changes)
    return msgspec.structs.replace(params, augmentations=params.augmentations | {"standard": standard})


def looked(held: HeldOut, weights: Path, limit: float, params: Settings) -> list[float]:
    """Return mAP50-95, the share of objects found, and that of objects reported twice, under one limit of overlap."""
    scenes = held_out.seen(held, weights, limit)
    others = (measure(scenes, held.classes, params.testing) for measure in (arm_metrics.found, arm_metrics.doubles))
    return [metrics.coco_map(scenes, held.classes)[1], *others]


def other(params: Settings) -> str:
    """Return the product that settings are chosen on."""
    if params.products.other is None:
        raise Problem("params.yaml: products.other: null; settings are chosen on that product")
    return params.products.other


def prepared(params: Settings, work: Path) -> tuple[Path, Path]:
    """Return the folders of the product's training photographs, and of the other products'."""
    dataset = coco.read(paths.ANNOTATIONS)
    mine = held_out.there([other(params)], params, "train")
    rest = held_out.there(held_out.other_groups("other", params), params, "train")
    return (remade_arm.some(dataset, mine, paths.SOURCE_IMAGES, work / "own"),
            remade_arm.some(dataset, rest, paths.SOURCE_IMAGES, work / "known"))  # fmt: skip


def test(params: Settings, imgsz: int) -> HeldOut:
    """Return all images of the product that nothing was trained on."""
    ids = [id_ for part in ("val", "test") for id_ in held_out.there([other(params)], params, part)]
    return held_out.showing(ids, imgsz)


def place(tried: Tried, draw: int, work: Path) -> Path:
    """Return the folder that a setting's detector is trained in, and where its weights stay."""
    return work / files.fingerprint(repr(tried), draw)


def drawn(every: coco.Coco, count: int | None, draw: int) -> list[int]:
    """Return the ids of the photographs of a draw."""
    rule = Subset(group="other", count=count or "all", prefer="random", fewer=False)
    return [id_ for id_, _ in subsets.pick(every, rule, draw, "other")]


def start(of: Photographs, params: Settings, work: Path) -> None:
    """Train the detector of the other products."""
    assert of.known and of.start
    if not (of.start / "last.pt").exists():
        trained = known_detector.train(of.known, params.now.study, work / "start_data", "all others", params)
        files.write(of.start / "last.pt", trained.last.read_bytes())
        model.forget(trained)


def score(tried: Tried, of: Photographs, draw: int, work: Path) -> dict:
    """Train one detector and say what it reaches; one that is done is not trained again."""
    folder = place(tried, draw, work)
    if (done := folder / "score.pickle").exists():
        return pickle.loads(done.read_bytes())
    every = coco.read(of.own / "annotations.json")
    if not tried.outlined:
        every = msgspec.structs.replace(every, annotations=[
            msgspec.structs.replace(one, segmentation=coco.NO_MASK) for one in every.annotations
        ])  # fmt: skip
    own = remade_arm.some(every, drawn(every, tried.count, draw), of.own / "images", folder / "own")
    mine = replace(of, own=own)
    made = remade_arm.train(tried.arm, mine, tried.how, draw, folder, f"draw {draw}", tried.params)
    held = test(tried.params, tried.how.imgsz)
    scenes = held_out.seen(held, made.weights)
    found: dict = {"nms": {limit: looked(held, made.weights, limit, tried.params) for limit in NMS}}
    found |= {
        "map": metrics.coco_map(scenes, held.classes)[1],
        "draws": metrics.bootstrap(metrics.match(scenes, held.classes), IMAGE_DRAWS, 0)[:, 1].round(4).tolist(),
    }
    if tried.arm.start != settings.NONE:
        known = held_out.of(held_out.other_groups("other", tried.params), tried.params, held.imgsz, "val")
        found["known"] = metrics.coco_map(held_out.seen(known, made.weights), known.classes)[1]
    for name in ("own", "fakes", "data"):
        shutil.rmtree(folder / name, ignore_errors=True)
    files.write(done, pickle.dumps(found))
    return found


if __name__ == "__main__":
    command.run(main, __doc__, which="steps, augmentation, boxes, scenes, share, warm, nms or crop")

"""Whether the photographs that `make next` chooses are worth more than as many drawn by chance.

Draws products that nothing in the demo has seen. For each of them, and each draw: a detector of five random photographs
of a pool; then two that have learnt ten more, which that detector has chosen, or which are drawn by chance. All go on,
with standard augmentation, from the weights of a detector of known products, so that few steps are enough; they are
tested on the product's other photographs. What is done is kept, so a killed run goes on.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from itertools import product
from pathlib import Path

import msgspec
import numpy as np

from benchmarks import conditions
from stages import command, files, paths, settings
from stages.dataset import coco, near_duplicates
from stages.dataset.bins import world
from stages.detector import metrics, predict
from stages.evidence import arm_metrics, errors, held_out, remade_arm, statistics
from stages.evidence.remade_arm import Photographs
from stages.evidence.statistics import Sampling, Scores
from stages.product import choosing, detection_doubt
from stages.product.card import Calibration
from stages.schema import Bins
from stages.settings import Settings
from stages.training import parallel

PRODUCTS: tuple[str, ...] = ("tube_coral", "can_silver", "spray_ice")
POOL, TESTED, SEED = 100, 100, 11  # photographs of each product to choose from, and to test on; of their world
FIRST, MORE, DRAWS, STEPS = 5, 10, 2, 200
KINDS = ("five", "random", "chosen")
IMAGE_DRAWS = 300
WORK = paths.CHECKPOINTS / "choose_next"


def main(weights: str = str(paths.trained("focus", "known"))) -> None:
    params, world_of = settings.load(), WORK / "world"
    base = msgspec.structs.replace(params.now.detector, weights=weights)
    now = msgspec.structs.replace(
        params.now, detector=base, study=msgspec.structs.replace(params.now.study, steps=STEPS)
    )
    params = msgspec.structs.replace(params, scales=params.scales | {params.scale: now})
    if not world_of.exists():
        with files.replacing(world_of) as folder:
            taken, tested = (dict.fromkeys(PRODUCTS, count) for count in (POOL, TESTED))
            world.generate(Bins(width=640, height=360, images=taken, extra_test=tested, shifted=0), SEED, folder)
    jobs = [(kind, name, draw) for draw, kind, name in product(range(DRAWS), KINDS, PRODUCTS)]
    with parallel.trainings(len(jobs)) as pool:
        waiting = {job: pool.submit(score, *job, params) for job in jobs}
        scores = {job: of.result() for job, of in waiting.items()}
    arms = {kind: [of_product(scores, kind, name) for name in PRODUCTS] for kind in KINDS}
    five, random, chosen = (arms[kind] for kind in KINDS)
    by = Sampling(10_000, 0, statistics.spread([five, random, chosen]))
    figures: dict = {
        "products": list(PRODUCTS), "draws": DRAWS, "steps": STEPS, "test photographs of each": TESTED,
        "to choose from": POOL - FIRST,
    }  # fmt: skip
    for kind, arm in arms.items():
        of = statistics.estimate(arm, by)
        figures[f"{kind}: mAP50-95"] = said(of)
        figures[f"{kind}: of each product"] = [round(one.value, 4) for one in arm]
        of_kind = {(name, draw): row for (other, name, draw), row in scores.items() if other == kind}
        figures[f"{kind}: share of the objects found"] = mean(row["found"] for row in of_kind.values())
        if kind != "five":
            figures[f"{kind}: objects on each photograph added"] = mean(row["objects"] for row in of_kind.values())
            figures[f"{kind}: mistakes of the first detector on each of these"] = mean(
                mistakes(*of, row["more"], params) for of, row in of_kind.items()
            )
    gain = statistics.difference(chosen, random, by)
    figures["ten more against none"] = said(statistics.difference(random, five, by))
    figures["chosen against random"] = said(gain)
    for name, one, other in zip(PRODUCTS, chosen, random, strict=True):
        figures[f"chosen against random, {name}, of each draw"] = (one.runs - other.runs).round(4).tolist()
    figures["in words"] = statistics.word(gain, gain.p)
    figures["least seen"] = round(gain.least, 4)
    figures["hours of training"] = round(sum(s["seconds"] for s in scores.values()) / 3600, 2)
    conditions.record("choose_next", figures, ("torch", "ultralytics-opencv-headless"))
    shutil.rmtree(WORK)


def of_product(scores: dict, kind: str, name: str) -> Scores:
    """Return what detectors of a kind reach on a product, draw by draw."""
    runs = [scores[kind, name, draw] for draw in range(DRAWS)]
    return Scores(np.array([s["map50_95"] for s in runs]), np.array([s["draws"] for s in runs]))


def said(of: statistics.Interval | statistics.Difference) -> str:
    return f"{of.value:.3f} ({of.low:.3f} to {of.high:.3f})"


def mean(values: Iterable[float]) -> float:
    return round(float(np.mean(list(values))), 4)


def mistakes(name: str, draw: int, ids: list[int], params: Settings) -> float:
    """Return how many mistakes the detector of five makes on each of some photographs."""
    some = coco.subset(coco.read(WORK / "world" / "annotations.json"), ids)
    held = held_out.load(some, WORK / "world" / "images", params.now.study.imgsz)
    scenes = held_out.seen(held, first_detector(name, draw))
    return sum(errors.kinds(scenes, params.testing.confidence, params.testing.iou).values()) / len(ids)


def first_detector(name: str, draw: int) -> Path:
    return WORK / f"{name}_{draw}_five" / "weights.pt"


def score(kind: str, name: str, draw: int, params: Settings) -> dict:
    """Train one detector and say what it reaches; one that is done is not trained again."""
    place, how = WORK / f"{name}_{draw}_{kind}", params.now.study
    if (done := place / "score.json").exists():
        return files.read_json(done)
    dataset = coco.read(WORK / "world" / "annotations.json")
    images = [image for image in dataset.images if coco.group_of(image, {}) == name]
    rest = np.random.default_rng(draw).permutation([i.id for i in images if i.split != "test"]).tolist()
    first, rest = rest[:FIRST], rest[FIRST:]
    if kind == "chosen":
        more = choose(coco.subset(dataset, sorted(rest)), first_detector(name, draw), how.imgsz, params)
    else:
        more = rest[:MORE] if kind == "random" else []
    own = remade_arm.some(dataset, [*first, *more], WORK / "world" / "images", place / "own")
    title = f"{name} {draw} {kind}"
    made = remade_arm.train(params.arms["ten_standard"], Photographs(own), how, draw, place, title, params)
    test = coco.subset(dataset, [i.id for i in images if i.split == "test"])
    held = held_out.load(test, WORK / "world" / "images", how.imgsz)
    scenes = held_out.seen(held, made.weights)
    draws = metrics.bootstrap(metrics.match(scenes, held.classes), IMAGE_DRAWS, 0)[:, 1]
    found = {
        "map50_95": metrics.coco_map(scenes, held.classes)[1], "draws": draws.tolist(), "seconds": made.seconds,
        "found": arm_metrics.found(scenes, held.classes, params.testing), "more": more,
        "objects": len(coco.subset(dataset, more).annotations) / max(1, len(more)),
    }  # fmt: skip
    files.write_json(done, found)
    return found


def choose(pool: coco.Coco, weights: Path, imgsz: int, params: Settings) -> list[int]:
    """Return the ids of the photographs that `make next` would choose."""
    shown = held_out.load(pool, WORK / "world" / "images", imgsz).pictures
    doubts = [
        detection_doubt.of(things)
        for things in detection_doubt.seen(predict.opened(weights, imgsz), shown, Calibration())
    ]
    same = near_duplicates.alike([near_duplicates.traits(pixels) for pixels in shown], params.split)
    looks = [choosing.afar(pixels) for pixels in shown]
    return [pool.images[place].id for place in choosing.chosen(doubts, looks, same, MORE)]


if __name__ == "__main__":
    command.run(main, __doc__, weights="of the known products' detector")

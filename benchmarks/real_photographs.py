"""Real photographs: what composed pictures are worth on somebody's own COCO dataset.

Deals the photographs of a folder (images/ and an annotations file) into a test part and the rest, near-duplicates to
one of the two, and trains on draws of ten, of ten with composed pictures, and on all of the rest. How large they are
looked at is what an arrival's rule says; nothing is chosen on them.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import numpy as np

from benchmarks import conditions
from stages import command, files, paths, settings
from stages.dataset import arrival, coco, near_duplicates, split
from stages.detector import metrics
from stages.evidence import arm_metrics, held_out, remade_arm, statistics
from stages.evidence.remade_arm import Photographs
from stages.evidence.statistics import Sampling, Scores
from stages.settings import Settings
from stages.training import parallel

FEW, TESTED = 10, 0.4  # photographs; share of all that is for testing
IMAGE_DRAWS = 300
POINTS = (("ten_standard", FEW), ("paste", FEW), ("ten_standard", None))  # arms, and of how many; None: all
WORK = paths.CHECKPOINTS / "real_photographs"


def main(folder: str, annotations: str = "annotations.json", steps: int = 1200, draws: int = 2) -> None:
    params, place = settings.load(), Path(folder)
    dataset = coco.read(place / annotations)
    test, rest = dealt(dataset, place / "images", params)
    imgsz, crop = arrival.seen_at(coco.subset(dataset, rest), params.arrival.pixels)
    how = msgspec.structs.replace(params.now.study, imgsz=imgsz, crop=crop, steps=steps, seeds=draws)
    now = msgspec.structs.replace(params.now, study=how)
    params = msgspec.structs.replace(params, scales=params.scales | {params.scale: now})
    jobs = [(arm, count, draw) for draw in range(draws) for arm, count in POINTS]
    with parallel.trainings(len(jobs)) as pool:
        waiting = {job: pool.submit(score, place, annotations, test, rest, *job, params) for job in jobs}
        scores = {job: of.result() for job, of in waiting.items()}

    def arm(name: str, count: int | None) -> list[Scores]:
        of = [scores[name, count, draw] for draw in range(draws)]
        return [Scores(np.array([s["map50_95"] for s in of]), np.array([s["draws"] for s in of]))]

    few, fakes, every = (arm(*point) for point in POINTS)
    by = Sampling(10_000, 0, statistics.spread([few, fakes, every]))
    figures: dict = {"photographs": len(dataset.images), "for testing": len(test), "steps": steps,
                     "pixels": [imgsz, crop], "draws": draws, "classes": len(dataset.categories)}  # fmt: skip
    for title, of in ((f"{FEW}, standard augmentation", few), (f"{FEW}, with composed pictures", fakes),
                      (f"all {len(rest)}, standard augmentation", every)):  # fmt: skip
        figures[title] = said(statistics.estimate(of, by))
    figures["composed pictures against none"] = said(statistics.difference(fakes, few, by))
    way = statistics.closed(fakes, few, every, by)
    figures["closed"] = said(way) if way else "not certain that more photographs help"
    for point in POINTS:
        figures[f"{point[0]} of {point[1] or len(rest)}, measures"] = {
            name: round(float(np.mean([scores[*point, d]["metrics"][name] for d in range(draws)])), 4)
            for name in arm_metrics.METRICS
        }  # fmt: skip
    name = f"real_{place.name}_{len(dataset.categories)}"
    conditions.record(name, figures, ("torch", "ultralytics-opencv-headless"))
    shutil.rmtree(WORK)


def dealt(dataset: coco.Coco, images: Path, params: Settings) -> tuple[list[int], list[int]]:
    """Return the ids of the images that test, and of the rest, as a dataset is split for the stages."""
    same = near_duplicates.alike(arrival.traits(images, dataset.images), params.split)
    near = [[dataset.images[place].id for place in cluster] for cluster in same]
    shares = msgspec.structs.replace(params.split, train=1 - TESTED, val=0.0, test=TESTED)
    places = split.draw(dataset, {}, near, shares, 0)
    test, rest = ([id_ for id_, (part, _) in places.items() if part == wanted] for wanted in ("test", "train"))
    return test, rest


def said(of: statistics.Interval | statistics.Difference) -> str:
    return f"{of.value:.3f} ({of.low:.3f} to {of.high:.3f})"


def score(
    folder: Path, annotations: str, test: list[int], rest: list[int], name: str, count: int | None, draw: int,
    params: Settings,
) -> dict:  # fmt: skip
    """Train one detector, and say what it reaches on the test part."""
    asked, how = params.arms[name], params.now.study
    place = WORK / files.fingerprint(str(folder), annotations, name, count, draw, how.imgsz, how.crop, how.steps)
    dataset = coco.read(folder / annotations)
    mixed = np.random.default_rng(draw).permutation(rest).tolist()[:count]
    own = remade_arm.some(dataset, mixed, folder / "images", place / "own")
    title = f"{name} of {len(mixed)}, draw {draw}"
    made = remade_arm.train(asked, Photographs(own), how, draw, place, title, params)
    held = held_out.load(coco.subset(dataset, test), folder / "images", how.imgsz)
    scenes = held_out.seen(held, made.weights)
    draws = metrics.bootstrap(metrics.match(scenes, held.classes), IMAGE_DRAWS, 0)[:, 1]
    return {"map50_95": metrics.coco_map(scenes, held.classes)[1], "draws": draws,
            "metrics": arm_metrics.measured([scenes], held.classes, params.testing)}  # fmt: skip


if __name__ == "__main__":
    command.run(
        main,
        __doc__,
        folder="with images/",
        annotations="the COCO file in it",
        steps="of each training",
        draws="of the photographs, each with a seed",
    )

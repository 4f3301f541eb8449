"""One run of a study: photographs are picked, fakes composed of them, a detector trained and tested."""

from __future__ import annotations

import shutil
from pathlib import Path

from stages import files, paths
from stages.dataset import coco
from stages.detector import metrics, model
from stages.evidence import arm_metrics, held_out, known_detector, lineage, remade_arm, study_runs
from stages.evidence.arm_roles import OLD
from stages.evidence.remade_arm import Photographs
from stages.evidence.study_runs import FINE, Row, Run
from stages.problem import Problem
from stages.settings import NONE, Settings

WORK = paths.CHECKPOINTS / "study"
IMAGE_DRAWS = 200  # of the test images: what intervals over images are made of


def execute(run: Run, mark: str, params: Settings) -> Row:
    """Train and test one detector; return what is kept of it, or the problem that kept it from being trained.

    A killed run is continued by the same call.
    """
    try:
        return study_runs.row_of(run, {"mark": mark} | made(run, WORK / f"{run.product}_{run.name}_{mark}", params))
    except Problem as problem:
        return study_runs.row_of(run, {"problem": str(problem)})


def made(run: Run, place: Path, params: Settings) -> Row:
    """Train and test one detector, in a folder of its own; return what is kept of it."""
    asked, how = params.arms[run.arm], params.now.study
    own = study_runs.picked(run, study_runs.photographs(params)[run.product])
    remade_arm.some(own, [image.id for image in own.images], paths.SOURCE_IMAGES, place / "own")
    of = Photographs(place / "own")
    if params.others(asked) != NONE:
        start = started(run.product, params)
        of = Photographs(place / "own", start / "known", start)
    title = f"{run.product} {run.name}"
    reached = lineage.sources(of.own) | (lineage.sources(of.known) if of.known else {})
    lineage.refuse(title, reached, {image.id for image in own.images}, run.product, params)
    trained = remade_arm.train(asked, of, how, params.seed + run.draw, place, title, params)
    counts = {Path(folder).name: count for folder, count in trained.images.items()}
    facts = {
        "images": counts,
        "seconds": round(trained.seconds, 1),
        **tested(trained.weights, run.product, asked.known != NONE, params),
    }
    shutil.rmtree(place)
    return facts


def gather(product: str, params: Settings) -> None:
    """Put the training photographs of all other products into a folder."""
    dataset = coco.read(paths.ANNOTATIONS)
    ids = held_out.there(study_runs.other_groups(product, dataset, params), params, "train")
    remade_arm.some(dataset, ids, paths.SOURCE_IMAGES, started(product, params) / "known")


def begin(product: str, params: Settings) -> Row:
    """Train the detector of all other products, unless it is there; return what it does on the new one."""
    folder = started(product, params)
    if not (folder / "last.pt").exists():
        trained = known_detector.train(
            folder / "known", params.now.study, folder / "data", f"{product}: all others", params
        )
        files.write(folder / "last.pt", trained.last.read_bytes())
        model.forget(trained)
        shutil.rmtree(folder / "data")
    facts = tested(folder / "last.pt", product, True, params)
    return {"name": OLD, "arm": OLD, "product": product, "mark": study_runs.others(product, params)} | facts


def started(product: str, params: Settings) -> Path:
    """Return the folder of the detector of all other products, with their photographs in it."""
    return WORK / f"{product}_{study_runs.others(product, params)}"


def tested(weights: Path, product: str, warm: bool, params: Settings) -> Row:
    """Return what a detector reaches on a product's test images, at stations that differ, and on the known products."""
    imgsz, testing = params.now.study.imgsz, params.testing
    test = held_out.of([product], params, imgsz)
    scenes = held_out.seen(test, weights)
    draws = metrics.bootstrap(metrics.match(scenes, test.classes), IMAGE_DRAWS, params.seed)[:, 1]
    found = {
        "map50_95": metrics.coco_map(scenes, test.classes)[1],
        "draws": [round(FINE * draw) for draw in draws],
        "metrics": arm_metrics.measured([scenes], test.classes, testing),
        "shifted": {
            station: metrics.coco_map(held_out.seen(of, weights), of.classes)[1]
            for station, of in held_out.shifted(product, imgsz).items()
        },
    }  # fmt: skip
    rest = study_runs.other_groups(product, coco.read(paths.ANNOTATIONS, masks=False), params)
    if warm and held_out.there(rest, params):
        others = held_out.of(rest, params, imgsz)
        seen = held_out.seen(others, weights)
        found["known"] = {
            "map50_95": metrics.coco_map(seen, others.classes)[1],
            "found": arm_metrics.found(seen, others.classes, testing),
        }
    return files.rounded(found)

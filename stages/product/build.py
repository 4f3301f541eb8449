"""The detector of the product in focus, to take away (models/products/<product>): weights, ONNX, a card, a page.

It is what the gate's decision puts to use: the first seed's detector of the chosen arm, or, where none is promoted, the
detector that was there before the product came; where there was none, the best there is, and card and page say so.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import to_builtins

from stages import command, files, paths, provenance, settings
from stages.dataset import coco
from stages.detector import export, metrics, predict
from stages.detector.scenes import DetectedScene
from stages.evidence import arm_metrics, compare_arms, held_out, lineage, unseen_results
from stages.evidence.arm_roles import OLD
from stages.evidence.decision import put_to_use
from stages.evidence.unseen_results import Unseen
from stages.problem import Problem
from stages.product import card, operating, product_page
from stages.product.card import Calibration, Card, KnownClass
from stages.settings import Settings

PRODUCT = "focus"
PACKAGES = ("torch", "ultralytics-opencv-headless", "onnx", "onnxruntime")
TOLERANCE = 0.001  # of a picture's side, and of confidence, by which ONNX may differ
LOOKS, BATCH = 32, 8  # pictures that speed is measured on, and how many at a time
CHECKED = 40  # pictures on which ONNX is compared with the weights


@dataclass(frozen=True)
class Known:
    """What other stages have left about the detector."""

    name: str  # of the arm
    decided: dict[str, Any]
    unseen: Unseen
    tested: list[DetectedScene]  # test images; none, where there are none


def main() -> None:
    params = settings.load()
    group = params.group(PRODUCT)
    decided = files.read_json(paths.METRICS / "gate.json")
    name = put_to_use(decided)
    arms = {name: params.arms[name]} if name != OLD else {}
    found, how = compare_arms.weights(PRODUCT, arms), params.now.evidence
    if not found.get(name):
        raise Problem(f"{group}: no detector has been trained ({decided.get('promote_product_why', 'no arm was run')})")
    weights = found[name][0]
    tests = [group] if name != OLD else held_out.other_groups(PRODUCT, params)
    tested = held_out.seen(held_out.of(tests, params, how.imgsz), weights) if held_out.there(tests, params) else []
    known = Known(name, decided, unseen_results.read(files.read_json(paths.GATE / "unseen.json")), tested)
    with files.replacing(paths.RELEASED / group) as into:
        shutil.copyfile(weights, into / card.WEIGHTS)
        export.onnx(into / card.WEIGHTS, into / card.ONNX, how.imgsz)
        about = described(into, known, params)
        card.write(into, about)
        files.write(into / card.PAGE, product_page.render(about, known.unseen, known.tested, params))
        fast = speed(into, sample(about.imgsz), about.imgsz)  # not of what is kept: another machine makes the same
    files.write_json(paths.TIMING / "product.json", fast)
    print(f"{paths.RELEASED / group}: {card.headline(about)}")
    print(f"photographs a second on this machine: {fast['pt_a_second']:g}, ONNX {fast['onnx_a_second']:g}")
    print(f"make detect PHOTOS=folder PRODUCT={group}")


def described(folder: Path, known: Known, params: Settings) -> Card:
    """Return all that is known about the detector in a folder."""
    names = predict.names(folder / card.WEIGHTS)
    ids = coco.class_numbers(coco.read(paths.ANNOTATIONS, masks=False))  # in the order of their numbers
    chosen, tested, many = known.unseen.scenes, known.tested, len(names)
    calibration = operating.calibration(chosen, many) if chosen else Calibration()
    scenes, imgsz = tested or chosen, params.now.evidence.imgsz
    pictures = sample(imgsz)
    return Card(
        product=params.group(PRODUCT), promoted=bool(known.decided["promote_product"]),
        why=known.decided.get("promote_product_why", "nothing was compared"), arm=known.name,
        classes=[KnownClass(id_, name) for id_, name in zip(ids, names, strict=True)], imgsz=imgsz,
        confidence=params.testing.confidence, trained_on=trained_on(known.name, params),
        figures=figures(scenes, many, params) | {"on": measured_on(known), "arm": of_arm(known.name)},
        chosen_on=chosen_on(known.unseen),
        thresholds={
            "precision": operating.threshold(operating.precise, chosen, tested, many, params.seed),
            "recall": operating.threshold(operating.complete, chosen, tested, many, params.seed),
        },
        calibration=calibration,
        miscalibration={
            "before": operating.miscalibration(scenes, many, Calibration()),
            "after": operating.miscalibration(scenes, many, calibration), "on": measured_on(known),
        },
        onnx=agreement(folder, pictures, imgsz), made=made(folder, known.name, params),
    )  # fmt: skip


def figures(scenes: list[DetectedScene], classes: int, params: Settings) -> dict[str, Any]:
    """Return what this one detector reaches, with intervals over photographs."""
    if not scenes:
        return {}
    draws = metrics.bootstrap(metrics.match(scenes, classes), operating.DRAWS, params.seed)
    map50, map50_95, _ = metrics.coco_map(scenes, classes)
    found = {
        name: {"value": value, "low": float(low), "high": float(high)}
        for name, value, low, high in zip(
            ("map50", "map50_95"), (map50, map50_95), *np.percentile(draws, (2.5, 97.5), axis=0), strict=True
        )
    }
    rates = operating.rates(scenes, classes, params.testing.confidence, params.seed)
    hits = [metrics.found(scene, params.testing.confidence, params.testing.iou) for scene in scenes]
    return found | {
        "found": sum(n for n, _, _ in hits), "present": arm_metrics.objects(scenes), "photographs": len(scenes),
        "confidence": params.testing.confidence,
        **to_builtins(rates),
    }  # fmt: skip


def of_arm(name: str) -> dict[str, Any]:
    """Return what all seeds of an arm reach on average, with the interval that the evidence gives it."""
    for path, key in ((paths.EVIDENCE / "results.json", PRODUCT), (paths.GATE / "folds.json", None)):
        found = files.read_json(path)
        one = (found.get(key, {}) if key else found).get("arms", {}).get(name)
        if one:
            return {"seeds": len(one.get("seeds", [0])), "map50_95": {k: one[f] for k, f in (
                ("value", "map50_95"), ("low", "low"), ("high", "high"))}}  # fmt: skip
    return {}


def measured_on(known: Known) -> str:
    """Return in words which photographs the figures are of."""
    whose = "the product" if known.name != OLD else "the known products"
    if known.tested:
        said = "which nothing has learnt from; they told which arm is best"
        return f"{len(known.tested)} test photographs of {whose}, {said}"
    return chosen_on(known.unseen)


def chosen_on(seen: Unseen) -> str:
    """Return in words on which photographs thresholds and calibration were chosen."""
    objects = arm_metrics.objects(seen.scenes)
    return {
        "validation": f"{len(seen.scenes)} validation photographs with {objects} objects, which it has not learnt from",
        "folds": f"its own {len(seen.scenes)} photographs with {objects} objects, each seen by a detector made in the "
        "same way without it",
        "none": "nothing: there are no photographs for it",
    }[seen.kind]


def trained_on(name: str, params: Settings) -> dict[str, Any]:
    """Return the product's annotated photographs that it has learnt from, by name, and how many others, fakes, and
    photographs that detectors labelled."""
    if name == OLD:
        files_seen = files.read_json(paths.trained(PRODUCT, "known").with_name("images.json"))["train"]
        names = {image.id: image.file_name for image in coco.read(paths.ANNOTATIONS, masks=False).images}
        reached, counts = {id_: names[id_] for id_ in files_seen}, {}
    else:
        run = files.read_json(paths.DETECTORS / PRODUCT / name / "run.json")
        counts = {folder: count for folder, count in run["images"].items() if count}
        reached = {id_: file for folder in counts for id_, file in lineage.sources(Path(folder)).items()}
    own = set(lineage.of_product(reached.items(), PRODUCT, params))
    others = Counter(lineage.group_of(id_, file, params) for id_, file in reached.items() if id_ not in own)
    return {
        "photographs": sorted(reached[id_] for id_ in own), "other_products": dict(sorted(others.items())),
        "composed": {folder: n for folder, n in counts.items() if Path(folder).is_relative_to(paths.ACCEPTED)},
        "labelled": sum(n for folder, n in counts.items() if Path(folder).is_relative_to(paths.LABELLED)),
        "start": params.arms[name].start if name != OLD else settings.NONE,
    }  # fmt: skip


def sample(imgsz: int) -> list[np.ndarray]:
    """Return some training photographs, as the detector sees them."""
    return held_out.showing(files.read_json(paths.SPLIT)["train"][:CHECKED], imgsz).pictures


def speed(folder: Path, pictures: list[np.ndarray], imgsz: int) -> dict[str, Any]:
    """Return how fast this machine asks the detector."""
    found: dict[str, Any] = {"batch": BATCH, "processor": provenance.processor(), "cores": provenance.cores(),
                             "device": predict.device()}  # fmt: skip
    for name, batch in ((card.WEIGHTS, BATCH), (card.ONNX, 1)):
        look = predict.opened(folder / name, imgsz, batch)
        look(pictures[:batch])  # the first look warms up
        began = time.perf_counter()
        for start in range(0, LOOKS, batch):
            look([pictures[k % len(pictures)] for k in range(start, start + batch)])
        found[f"{Path(name).suffix[1:]}_a_second"] = round(LOOKS / (time.perf_counter() - began), 1)
    return found


def agreement(folder: Path, pictures: list[np.ndarray], imgsz: int) -> dict[str, Any]:
    """Return how many of the weights' detections ONNX has, too, and how far off the farthest is."""
    both = (predict.predict(folder / name, pictures, imgsz, 1) for name in (card.WEIGHTS, card.ONNX))
    apart = np.concatenate([
        export.apart(one[one[:, 4] >= operating.LEAST], other) for one, other in zip(*both, strict=True)
    ])  # fmt: skip
    share = float(np.mean(apart < TOLERANCE)) if len(apart) else 1.0
    return {"detections": len(apart), "within": TOLERANCE, "share": share, "largest": float(max(apart, default=0))}


def made(folder: Path, name: str, params: Settings) -> dict[str, Any]:
    """Return of what, and with what, it was made."""
    if name == OLD:
        steps = params.known_detector_steps(params.now.evidence)
    else:
        steps = files.read_json(compare_arms.folder(name, params.arms[name]) / "run.json")["steps"]
    return {
        "weights": files.digest(folder / card.WEIGHTS), "model": params.now.detector.model, "scale": params.scale,
        "seed": params.seed, "steps": steps, "versions": provenance.versions(*PACKAGES),
    }  # fmt: skip


if __name__ == "__main__":
    command.run(main, __doc__)

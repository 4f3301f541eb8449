"""Compare the arms that `dvc repro` trains, on test images (data/evidence, the metric evidence.json, plots).

It shows what params.yaml names; an arm that has not been trained is left out and named, and so is a product that has
no test images. Nothing is compared before it is certain that no image of a product outside its subset had a part in any
of its arms.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from stages import command, drawing, files, paths, settings, tables
from stages.dataset import coco, photo
from stages.detector import predict
from stages.detector.marked_photo import marked
from stages.detector.scenes import DetectedScene
from stages.evidence import arm_metrics, compare, errors, held_out, lineage, seed_spread, two_sample
from stages.evidence.arm_roles import OLD
from stages.judge import candidate_pictures, reference, set_metrics
from stages.settings import Arm, Settings

MOST = 300  # fakes that the two-sample test looks at
SHOWN, TILE = 6, 480  # test photographs under two arms, and their width


def main() -> None:
    params = settings.load()
    dataset = coco.read(paths.ANNOTATIONS)
    results, galleries = {}, []
    for product in ("focus", "other"):
        arms = {name: arm for name, arm in params.arms.items() if arm.product == product}
        trained = {name: arm for name, arm in arms.items() if (folder(name, arm) / "run.json").exists()}
        if missing := [name for name in arms if name not in trained]:
            print(f"arms that have not been trained are left out: {', '.join(missing)}")
        for name, arm in trained.items():
            lineage.check(name, arm, params, dataset)
        if trained and not held_out.there([params.group(product)], params):
            print(f"{product} has no test images; the gate looks at its training images, fold by fold")
        elif trained:
            of, how = weights(product, trained), params.now.evidence
            found = compare.compare(of, trained, product, params, how, seed_spread.from_study())
            if {found["roles"]["baseline"], params.evidence.primary} <= of.keys():
                galleries += side_by_side(of, found["roles"]["baseline"], product, params)
            for name, arm in trained.items():
                found["arms"][name] |= {"run": files.read_json(folder(name, arm) / "run.json")}
            results[product] = found | {"two_sample": distances(product, trained, params)}
    with files.replacing(paths.EVIDENCE) as into:
        files.write_json(into / "results.json", files.rounded(results))
    files.write_json(paths.METRICS / "evidence.json", figures(results))
    plots(results)
    gallery = drawing.sheet(galleries, 2) if galleries else np.full((8, 8, 3), 255, np.uint8)
    photo.save(paths.PLOTS / "evidence" / "gallery.jpg", gallery)


def side_by_side(of: dict[str, list[Path]], baseline: str, product: str, params: Settings) -> list[np.ndarray]:
    """Return the test photographs that the baseline and the primary arm see most differently or worst, in pairs."""
    test = held_out.of([params.group(product)], params, params.now.evidence.imgsz)
    pair = (baseline, params.evidence.primary)
    seen = [held_out.seen(test, of[name][0]) for name in pair]

    def wrong(scene: DetectedScene) -> int:
        return sum(errors.kinds([scene], params.testing.confidence, params.testing.iou).values())

    counts = np.array([[wrong(scene) for scene in of_arm] for of_arm in seen])
    worst = np.argsort(-(counts.sum(0) + abs(counts[0] - counts[1])), kind="stable")[:SHOWN]
    names, tiles = coco.class_names(test.dataset), []
    for k in worst:
        image = test.dataset.images[k]
        pixels = photo.load(paths.SOURCE_IMAGES / image.file_name, image.width, image.height)
        for arm, scenes, count in zip(pair, seen, counts[:, k], strict=True):
            tile = marked(pixels, TILE, scenes[k], names, params.testing)
            tiles.append(drawing.named(tile, f"{arm}, {image.file_name}: {count} errors", 1))
    return tiles


def folder(name: str, arm: Arm) -> Path:
    return paths.DETECTORS / arm.product / name


def weights(product: str, arms: dict[str, Arm]) -> dict[str, list[Path]]:
    """The detectors of each arm, and the old one, where it was trained."""
    found = {name: sorted(folder(name, arm).glob("*.pt")) for name, arm in arms.items()}
    old = paths.trained(product, "known")
    return found | ({OLD: [old]} if old.exists() else {})


def distances(product: str, arms: dict[str, Arm], params: Settings) -> dict[str, float]:
    """Return how surely a classifier tells each arm's fakes from held-out real images, on the judge's features."""
    size, drawn = params.now.judge.size, candidate_pictures.by_gans(params)  # what all of them have, GANs' too
    real = set_metrics.held_out(params, product, drawn)
    judge = paths.trained(product, "judge")
    if real is None or not judge.exists():
        return {}
    known, found = predict.features(judge, real.pixels, params.now.judge.imgsz), {}
    for name, arm in arms.items():
        fakes = [picture for of in lineage.fakes(arm, params) for picture in sorted((of / "images").glob("*.png"))]
        if fakes:
            some = [fakes[k] for k in np.linspace(0, len(fakes) - 1, min(MOST, len(fakes))).astype(int)]
            pixels = np.stack([reference.squared(photo.read(path), size, drawn) for path in some])
            score = two_sample.auc(predict.features(judge, pixels, params.now.judge.imgsz), known, params.seed)
            if score is not None:
                found[name] = score
    return found


def figures(results: dict[str, dict]) -> dict[str, float]:
    """One level of names; products other than the focus with their group in front."""
    found: dict[str, float] = {}
    for product, of in results.items():
        prefix = "" if product == "focus" else f"{of['group']}_"
        found[f"{prefix}test_images"] = of["test_images"]
        for name, arm in of["arms"].items():
            mine = {key: arm[key] for key in ("map50_95", "low", "high", *arm_metrics.METRICS) if key in arm}
            for way in ("closed", "closed_warm"):
                if way in arm:
                    mine |= {way: arm[way]["value"], f"{way}_low": arm[way]["low"], f"{way}_high": arm[way]["high"]}
            mine |= {f"{station}_map50_95": value for station, value in arm.get("shifted", {}).items()}
            if standard := arm.get("against", {}).get(of["roles"]["baseline"]):
                mine |= {f"against_standard_{end}": standard[end] for end in ("low", "high")}
            found |= {f"{prefix}{name}_{key}": value for key, value in mine.items()}
        found |= {f"{prefix}{name}_two_sample_auc": value for name, value in of["two_sample"].items()}
    return files.rounded(found)


def plots(results: dict[str, dict]) -> None:
    """Arms and their errors, as `dvc plots` reads them."""
    rows = [
        {"product": of["group"], "arm": name, **{key: arm[key] for key in ("map50_95", "low", "high")}}
        for of in results.values()
        for name, arm in of["arms"].items()
    ]
    kinds = [
        {"arm": name, "kind": kind, "errors": arm["errors"][kind]}
        for of in results.values()
        for name, arm in of["arms"].items()
        for kind in errors.KINDS
    ]
    for name, table in (("arms", pd.DataFrame(rows).round(4)), ("errors", pd.DataFrame(kinds))):
        tables.write(paths.PLOTS / "evidence" / f"{name}.csv", table)


if __name__ == "__main__":
    command.run(main, __doc__)

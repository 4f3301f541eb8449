"""Test the baseline detector on the test split: found of present, certainty, mAP with intervals, a contact sheet.

Metrics go to reports/metrics/detector_test.json, pictures to reports/plots/detector_test/. Both are empty where the
dataset has no test images: with a few photographs of a single product.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from stages import command, drawing, files, paths, settings
from stages.dataset import coco, photo
from stages.detector import metrics, predict
from stages.detector.marked_photo import marked
from stages.detector.scenes import DetectedScene, scene_of

SHEET = (4, 3)  # columns and rows of the contact sheet
TILE = 400  # pixels


def main() -> None:
    params = settings.load()
    dataset = coco.read(paths.ANNOTATIONS)
    started = time.monotonic()
    scenes = detect(dataset, paths.YOLO, paths.DETECTORS / "baseline/best.pt", params.now.detector.imgsz)
    groups = {image.id: coco.group_of(image, params.dataset.groups) for image in dataset.images}
    names = coco.class_names(dataset)
    figures = measure(scenes, groups, len(names), params.testing, params.seed) if scenes else {}
    files.write_json(paths.METRICS / "detector_test.json", figures)
    with files.replacing(paths.PLOTS / "detector_test") as folder:
        if chosen := choose(scenes, groups, params.testing):
            photo.save(folder / "contact_sheet.jpg", contact_sheet(chosen, dataset, names, params.testing))
        else:
            print("left out: the dataset has no test images")
    files.write_json(paths.TIMING / "detector_test.json", {"seconds": round(time.monotonic() - started, 1)})


def detect(dataset: coco.Coco, yolo: Path, weights: Path, imgsz: int) -> list[DetectedScene]:
    """Return what the detector sees in the test part of a YOLO dataset, beside what is there, in pixels."""
    index = files.read_json(yolo / "index.json")
    images, annotations = {image.id: image for image in dataset.images}, coco.by_image(dataset)
    numbers = coco.class_numbers(dataset)
    entries = {key: id_ for key, id_ in index.items() if key.startswith("test/")}
    detections = predict.predict(weights, [yolo / "images" / f"{key}.png" for key in entries], imgsz)
    pairs = zip(entries.values(), detections, strict=True)
    return [scene_of(images[id_], annotations[id_], numbers, seen) for id_, seen in pairs]


def measure(
    scenes: list[DetectedScene], groups: dict[int, str], classes: int, testing: settings.Testing, seed: int
) -> dict:
    """Return all figures of the test, one level of names deep."""
    map50, map50_95, _ = metrics.coco_map(scenes, classes)
    draws = metrics.bootstrap(metrics.match(scenes, classes), testing.bootstrap, seed)
    low, high = np.percentile(draws, (2.5, 97.5), axis=0)
    figures = {
        "images": len(scenes),
        "map50": map50, "map50_low": low[0], "map50_high": high[0],
        "map50_95": map50_95, "map50_95_low": low[1], "map50_95_high": high[1],
    }  # fmt: skip
    for name in ("", *dict.fromkeys(groups[s.image] for s in scenes)):
        counts = [metrics.found(s, testing.confidence, testing.iou) for s in scenes if name in ("", groups[s.image])]
        prefix = f"{name}_" if name else ""
        certainty = [c for _, _, of in counts for c in of]
        figures[f"{prefix}found"] = sum(n for n, _, _ in counts)
        figures[f"{prefix}present"] = sum(n for _, n, _ in counts)
        figures[f"{prefix}certainty"] = float(np.mean(certainty)) if certainty else 0.0
    return {name: round(float(v), 4) if isinstance(v, float) else int(v) for name, v in figures.items()}


def choose(scenes: list[DetectedScene], groups: dict[int, str], testing: settings.Testing) -> list[DetectedScene]:
    """Images for the sheet: of each group in turn the one with the most missed objects, then its plain ones."""
    queues: dict[str, list[DetectedScene]] = {}
    for scene in scenes:
        queues.setdefault(groups[scene.image], []).append(scene)
    for queue in queues.values():
        hits = {s.image: metrics.found(s, testing.confidence, testing.iou) for s in queue}
        worst = max(queue, key=lambda s: hits[s.image][1] - hits[s.image][0])
        queue.remove(worst)
        queue.insert(0, worst)
    chosen = []
    while len(chosen) < SHEET[0] * SHEET[1] and any(queues.values()):
        chosen += [queue.pop(0) for queue in queues.values() if queue]
    return chosen[: SHEET[0] * SHEET[1]]


def contact_sheet(
    scenes: list[DetectedScene], dataset: coco.Coco, names: list[str], testing: settings.Testing
) -> np.ndarray:
    """Return some photographs with what was seen in each, as one picture."""
    images = {image.id: image for image in dataset.images}
    tiles = []
    for scene in scenes:
        pixels = photo.load(paths.SOURCE_IMAGES / images[scene.image].file_name, scene.width, scene.height)
        tiles.append(marked(pixels, TILE, scene, names, testing))
    return drawing.sheet(tiles, SHEET[0])


if __name__ == "__main__":
    command.run(main, __doc__)

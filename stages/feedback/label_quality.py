"""Measure a product's labels where the truth is known (data/labels/<product>.json).

On validation images of the product, which neither of its two detectors has seen, worn as generated pictures are; and on
composed candidates, whose generator placed every object. Precision and recall count objects of the pictures that are
not rejected. Nothing of it reaches a later stage.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stages import command, files, paths, settings
from stages.dataset import coco
from stages.feedback import accept, labels
from stages.feedback.labels import LabelledObjects
from stages.judge import candidate_pictures, set_metrics
from stages.judge.copies import LITTLE, worn
from stages.settings import Settings

WORN = 4  # times each real image is worn anew
IOUS = (50, 75)  # percent of overlap


@dataclass(frozen=True)
class Truth:
    """Pictures (n, size, size, 3; uint8) and the boxes and classes of their objects."""

    pixels: np.ndarray
    boxes: list[np.ndarray]
    classes: list[np.ndarray]


def main(product: str) -> None:
    params = settings.load()
    figures = {}
    if (real := worn_images(params, product)) is not None:
        figures["worn real images"] = measured(real, params, product)
    for experiment, composition in params.compositions.items():
        mine = composition.product == product and composition.how == "paste"
        if mine and (paths.CANDIDATES / experiment / "manifest.csv").exists():
            figures[experiment] = measured(composed(experiment, params), params, product)
    files.write_json(paths.LABELS / f"{product}.json", figures)


def worn_images(params: Settings, product: str) -> Truth | None:
    """Return a product's validation images, blurred, noisy and badly compressed."""
    real = set_metrics.held_out(params, product, candidate_pictures.by_gans(params))
    if real is None:
        return None
    rng = np.random.default_rng(params.seed)
    pixels = np.stack([worn(picture, rng, LITTLE) for picture in real.pixels for _ in range(WORN)])
    return Truth(pixels, *([v for v in values for _ in range(WORN)] for values in (real.boxes, real.classes)))


def composed(experiment: str, params: Settings) -> Truth:
    """Return an experiment's candidates with the objects that it placed."""
    folder = paths.CANDIDATES / experiment
    manifest = candidate_pictures.listed(folder)
    dataset = coco.read(folder / "annotations.json", masks=False)
    numbers, annotations = coco.class_numbers(dataset), coco.by_image(dataset)
    frames = [np.array([image.width, image.height] * 2) for image in dataset.images]
    there = [annotations[image.id] for image in dataset.images]
    return Truth(
        candidate_pictures.load(folder, manifest, params.now.judge.size),
        [np.array([a.bbox for a in of], float).reshape(-1, 4) / frame for of, frame in zip(there, frames, strict=True)],
        [np.array([numbers[a.category_id] for a in of], int) for of in there],
    )


def measured(truth: Truth, params: Settings, product: str) -> dict[str, float]:
    """Return precision and recall of the labels that pictures get, and the share of pictures that get any."""
    said = labels.label(truth.pixels, accept.detectors(product), params.now.judge.imgsz, params.feedback)
    kept = [(found, truth.boxes[k], truth.classes[k]) for k, found in enumerate(said) if not isinstance(found, str)]
    return rightness(kept, len(said))


def rightness(kept: list[tuple[LabelledObjects, np.ndarray, np.ndarray]], images: int) -> dict[str, float]:
    """Return precision and recall of labels beside the boxes and classes of what is there, and the share of so many
    images that have labels."""
    given, present = sum(len(found.boxes) for found, _, _ in kept), sum(len(boxes) for _, boxes, _ in kept)
    figures: dict[str, float] = {"images": images, "labelled": round(len(kept) / images, 4)}
    for percent in IOUS:
        right = sum(labels.matched(*picture, percent / 100) for picture in kept)
        figures[f"precision_{percent}"] = round(right / given, 4) if given else 0.0
        figures[f"recall_{percent}"] = round(right / present, 4) if present else 0.0
    return figures


if __name__ == "__main__":
    command.run(main, __doc__, product="focus or other")

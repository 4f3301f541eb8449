"""Make training data of an experiment's green candidates (data/accepted/<experiment>, COCO with lineage).

Where the generator placed the objects itself, their labels are known; else two detectors have to agree on them. Beside
the accepted ones lie, for comparison, as many that were taken without any gate (ungated/), as many that chance chose in
the judge's place (random/), and the few best, which a generator can be trained on again (best/).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd

from stages import command, files, paths, settings, tables
from stages.boxes import within
from stages.dataset import coco, photo
from stages.feedback import labels
from stages.judge import candidate_pictures
from stages.settings import Settings

Box = tuple[float, float, float, float]  # x, y, width, height in pixels
LINEAGE = ("experiment", "step", "seed", "parents")


class AcceptedImage(coco.Image):
    """An accepted candidate: an image that knows what it came of."""

    lineage: dict[str, str | int | float] = {}  # noqa: RUF012 (msgspec copies it)


@dataclass(frozen=True)
class Labelled:
    """A candidate with its labels: category, box in pixels of the frame, mask as JSON or none."""

    row: dict
    objects: list[tuple[int, Box, msgspec.Raw]]
    sure: float  # how sure the judge's detector is of its objects


def main(experiment: str) -> None:
    params = settings.load()
    settings.named(experiment, params.all_experiments)
    table = verdicts(experiment)
    green = table.loc[table["verdict"] == "green"]
    rng = np.random.default_rng(params.seed)
    shuffled = table.iloc[rng.permutation(len(table))]
    if known(experiment):
        truth = placed(experiment)
        accepted, rejected = [truth(row) for row in green.to_dict("records")], Counter()
        ungated = chance = [truth(row) for row in shuffled[: len(green)].to_dict("records")]
    else:
        accepted, rejected = agreed(green, experiment, params)
        ungated = [judged(row, params, experiment) for row in shuffled[: len(accepted)].to_dict("records")]
        chance = agreed(shuffled, experiment, params)[0][: len(accepted)] if accepted else []
    best = sorted(accepted, key=lambda one: -one.sure)
    print(f"{experiment}: {len(table)} candidates, {len(green)} green, {len(accepted)} accepted; "
          f"rejected: {dict(rejected) or 'none'}")  # fmt: skip
    with files.replacing(paths.ACCEPTED / experiment) as folder:
        for name, chosen in (
            ("", best), ("best", best[: params.feedback.best]), (paths.UNGATED, ungated), (paths.CHANCE, chance),
        ):  # fmt: skip
            write(folder / name, chosen, experiment, params)
        counts = {"candidates": len(table), "green": len(green), "accepted": len(accepted), "rejected": dict(rejected)}
        files.write_json(folder / "accepted.json", counts)


def verdicts(experiment: str) -> pd.DataFrame:
    """Return each candidate's row of the manifest, with its verdict."""
    manifest = candidate_pictures.listed(paths.CANDIDATES / experiment)
    said = tables.read(paths.VERDICTS / f"{experiment}.csv")
    columns = said.loc[:, ["id", "verdict", "mean_confidence", "boxes"]].rename(columns={"boxes": "detected"})
    return manifest.merge(columns, on="id", validate="one_to_one")


def known(experiment: str) -> bool:
    """Return whether the generator placed the objects itself."""
    return (paths.CANDIDATES / experiment / "annotations.json").exists()


def placed(experiment: str) -> Callable[[dict], Labelled]:
    """Return a function that gives the labels which a generator left with its candidates."""
    dataset = coco.read(paths.CANDIDATES / experiment / "annotations.json")
    by_image = coco.by_image(dataset)
    of = {Path(image.file_name).stem: by_image[image.id] for image in dataset.images}

    def give(row: dict) -> Labelled:
        objects = [(a.category_id, a.bbox, a.segmentation) for a in of[row["id"]]]
        return Labelled(row, objects, float(row["mean_confidence"] or 0))

    return give


def agreed(table: pd.DataFrame, experiment: str, params: Settings) -> tuple[list[Labelled], Counter]:
    """Return the candidates on whose objects two detectors agree, and why the others are rejected."""
    if table.empty:
        return [], Counter()
    product, size = params.all_experiments[experiment].product, params.now.judge.size
    pixels = candidate_pictures.load(paths.CANDIDATES / experiment, table, size)
    ids = category_ids(params, product)
    kept, rejected = [], Counter()
    said = labels.label(pixels, detectors(product), params.now.judge.imgsz, params.feedback)
    for row, found in zip(table.to_dict("records"), said, strict=True):
        if isinstance(found, str):
            rejected[found] += 1
        else:
            objects = framed(found.boxes, found.classes, row, ids)
            kept.append(Labelled(row, objects, float(found.confidence.mean())))
    return kept, rejected


def detectors(product: str) -> list[Path]:
    """Return the weights of a product's two detectors that have to agree."""
    return [paths.trained(product, "judge"), paths.trained(product, "labeller")]


def judged(row: dict, params: Settings, experiment: str) -> Labelled:
    """Return a candidate with what the judge's detector alone sees in it: labels without a second opinion."""
    detected = np.array(json.loads(row["detected"]), float).reshape(-1, 6)
    ids = category_ids(params, params.all_experiments[experiment].product)
    return Labelled(row, framed(detected[:, :4], detected[:, 4].astype(int), row, ids), 0.0)


def category_ids(params: Settings, product: str) -> list[int]:
    """Return the dataset's category id for each class number."""
    known = coco.read(paths.SUBSETS / params.known_subset(product) / "annotations.json")
    return sorted(category.id for category in known.categories)


def framed(boxes: np.ndarray, classes: np.ndarray, row: dict, ids: list[int]) -> list:
    """Return boxes that are shares of a square as labels in pixels of the frame that it was squashed from."""
    frame = np.array([row["frame_width"], row["frame_height"]] * 2, float)
    return [
        (ids[number], tuple(round(float(v), 2) for v in box), coco.NO_MASK)
        for box, number in zip(within(boxes) * frame, classes, strict=True)
    ]


def write(folder: Path, chosen: list[Labelled], experiment: str, params: Settings) -> None:
    """Write accepted candidates into a folder: pictures in their frame's shape, and their labels."""
    known = coco.read(paths.SUBSETS / params.all_experiments[experiment].subset / "annotations.json")
    images, annotations = [], []
    for number, one in enumerate(chosen, 1):
        width, height = int(one.row["frame_width"]), int(one.row["frame_height"])
        name = f"{one.row['id']}.png"
        pixels = photo.read(paths.CANDIDATES / experiment / name)
        photo.save(folder / "images" / name, photo.unsquashed(pixels, (width, height)))
        images.append(AcceptedImage(id=number, file_name=name, width=width, height=height,
                            lineage={key: one.row[key] for key in LINEAGE} | {"sure": round(one.sure, 4)}))  # fmt: skip
        for category, box, segmentation in one.objects:
            annotations.append(coco.Annotation(
                id=len(annotations) + 1, image_id=number, category_id=category, bbox=box,
                area=round(box[2] * box[3], 2), iscrowd=0, segmentation=segmentation,
            ))  # fmt: skip
    coco.write(folder / "annotations.json", coco.Coco(images, known.categories, annotations))


if __name__ == "__main__":
    command.run(main, __doc__, experiment="which of params.yaml's experiments and compositions")

"""Measure the judge on samples that a person has labelled by eye, before it saw them (data/judge_tests/labelled).

They are samples of certain training images, so they say something only where these are the ones at hand: with another
scale or another dataset there are no figures.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from stages import command, files, paths, settings, tables
from stages.dataset import coco, photo
from stages.judge import picture_judge, reference
from stages.judge.colours import interval
from stages.judge.score_planted import confusion, misjudged
from stages.settings import Settings

PRODUCT = "focus"  # that the samples show


def main(folder: str) -> None:
    params = settings.load()
    labels = tables.read(Path(folder) / "labels.csv", "id", "verdict")
    seen_with = files.read_json(Path(folder) / "training.json")
    with files.replacing(paths.JUDGE_TESTS / "labelled") as into:
        if any(training(Path(parent)) != mark for parent, mark in seen_with.items()):
            print(f"{folder}: labelled with other training images than there are here; no figures")
            files.write_json(into / "figures.json", {})
            return
        pixels, said = judged(Path(folder), labels, params)
        truth = labels["verdict"].tolist()
        right = sum(a == b for a, b in zip(truth, said, strict=True))
        low, high = interval(right, len(truth))
        accepted = sum(a == "red" and b == "green" for a, b in zip(truth, said, strict=True))
        files.write_json(into / "figures.json", {
            "labelled": len(truth), "labelled_accuracy": round(right / len(truth), 4),
            "labelled_accuracy_low": round(low, 4), "labelled_accuracy_high": round(high, 4),
            "labelled_copies": truth.count("red"), "labelled_copies_accepted": accepted,
        })  # fmt: skip
        tables.write(into / "confusion.csv", confusion(truth, said), index=True)
        photo.save(into / "misjudged.jpg", misjudged(pixels, truth, said))


def training(subset: Path) -> str:
    """Return what tells a subset's images from others; empty where there is no such subset."""
    if not (subset / "annotations.json").exists():
        return ""
    names = [image.file_name for image in coco.read(subset / "annotations.json").images]
    return files.fingerprint([files.digest(subset / "images" / name) for name in names])


def judged(folder: Path, labels: pd.DataFrame, params: Settings) -> tuple[np.ndarray, list[str]]:
    """Return the samples, and the judge's verdict on each by the training images of its own experiment."""
    size = params.now.judge.size
    pixels = np.stack([photo.load(folder / f"{id_}.png", size, size) for id_ in labels["id"]])
    own = reference.read([paths.SUBSETS / params.known_subset(PRODUCT)], size)
    weights = paths.DETECTORS / PRODUCT / "judge" / "last.pt"
    said = np.empty(len(labels), object)
    for _, rows in labels.groupby("parents").groups.items():
        known = reference.read(reference.parents(labels.loc[rows]), size)
        by = picture_judge.load(paths.JUDGE / PRODUCT, weights, known, own, params)
        said[rows] = [one.colour for one in picture_judge.judge(pixels[rows], by, params)]
    return pixels, said.tolist()


if __name__ == "__main__":
    command.run(main, __doc__, folder="labels.csv, training.json and the samples")

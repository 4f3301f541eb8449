"""Measure the judges on candidates that a person has labelled by eye, without a verdict being shown
(data/judge_tests/labelled).

Beside them lie the training photographs that they are to be compared with, so they say something of every judge of
these two products that looks at no less than the person did, where GANs draw as much. Of others there are no figures.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from stages import command, files, paths, settings, tables
from stages.dataset import photo
from stages.judge import candidate_pictures, picture_judge, reference
from stages.judge.colours import interval
from stages.judge.score_planted import confusion, misjudged
from stages.settings import Settings

SHOWN = 64  # pixels a side that the person saw of what GANs drew
PRODUCTS = {"focus": "tube_mint", "other": "bottle_azure"}
OWN = {"focus": "ten", "other": "other_ten"}  # folders of the photographs that a product's judge has seen


def main(folder: str) -> None:
    params = settings.load()
    with files.replacing(paths.JUDGE_TESTS / "labelled") as into:
        if why := strange(params):
            print(f"{folder}: {why}; no figures")
            files.write_json(into / "figures.json", {})
            return
        labels = tables.read(Path(folder) / "labels.csv", "id", "product", "experiment", "training", "verdict")
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


def strange(params: Settings) -> str:
    """Return why the labels say nothing of the judges at hand; empty, where they do."""
    there = {"focus": params.products.focus, "other": params.products.other}
    if there != PRODUCTS or params.dataset.source != "bins":
        return f"they show {' and '.join(PRODUCTS.values())} of the built-in world"
    if params.now.judge.size < SHOWN:
        return f"the judges look at {params.now.judge.size} pixels, and {SHOWN} were shown"
    if candidate_pictures.by_gans(params) != SHOWN:
        return f"GANs draw {params.now.gan.size} pixels here, and drew {SHOWN}"
    return ""


def judged(folder: Path, labels: pd.DataFrame, params: Settings) -> tuple[np.ndarray, list[str]]:
    """Return the candidates as their judges look at them, and the colour that each is called."""
    size, said = params.now.judge.size, np.empty(len(labels), object)
    pictures = [photo.read(folder / "candidates" / f"{id_}.avif") for id_ in labels["id"]]
    pixels = np.stack([photo.squashed(picture, size) for picture in pictures])
    sharp = [picture.shape[0] != picture.shape[1] for picture in pictures]  # composed: GANs draw squares
    kinds = list(zip(labels["product"], labels["training"], sharp, strict=True))
    for kind in dict.fromkeys(kinds):
        (product, training, whole), places = kind, [place for place, of in enumerate(kinds) if of == kind]
        drawn = size if whole else candidate_pictures.by_gans(params)
        own, known = (
            reference.read([folder / "training" / name for name in names], size, drawn)
            for names in ([OWN[product]], training.split(";"))
        )
        weights = paths.trained(product, "judge")
        by = picture_judge.load(paths.JUDGE / product, weights, known, own, drawn, params)
        said[places] = [one.colour for one in picture_judge.judge(pixels[places], by, params)]
    return pixels, said.tolist()


if __name__ == "__main__":
    command.run(main, __doc__, folder="candidates, their labels and the training photographs")

"""All networks that fill holes on the same photographs, side by side: metrics, curves, and a picture.

The photographs are validation images of other products: no network has seen them, and of a product in question they
are none. Each gets one hole, of an object's shape, and is filled as a whole photograph, at its own size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd

from stages import command, drawing, files, paths, progress, settings, tables
from stages.dataset import coco, photo
from stages.inpaint import classical
from stages.inpaint.classical import Filler
from stages.inpaint.holes import ObjectShape
from stages.inpaint.windows import around, silhouettes
from stages.settings import Settings
from stages.training import run_facts

PLOTS = paths.PLOTS / "inpaint_compare"
PHOTOGRAPHS = 40  # at most
SHOWN, TILE = 6, 128  # rows of the picture, and pixels of what they show
HIDDEN = (255, 0, 255)  # colour of a hole there
DECIMALS = 4


@dataclass(frozen=True)
class Case:
    """A photograph with a hole of which the truth is known."""

    truth: np.ndarray
    hole: np.ndarray

    @property
    def masked(self) -> np.ndarray:
        return np.where(self.hole[..., None], np.uint8(0), self.truth)


def main() -> None:
    params = settings.load()
    # Torch takes seconds to import: a wrong setting is told before.
    from stages.inpaint.fill import filler

    found = [name for name in params.inpaints if (paths.INPAINTS / name / run_facts.FACTS).exists()]
    facts = {name: run_facts.read(paths.INPAINTS / name) for name in found}
    ways: dict[str, Filler] = {"telea": classical.telea} | {name: filler(paths.INPAINTS / name) for name in found}
    tried = list(progress.bar(cases(params), what="filling holes", unit="photo"))
    filled = {name: [fill(case.masked, case.hole) for case in tried] for name, fill in ways.items()}
    scores = {name: score(tried, pictures) for name, pictures in filled.items()} if tried else {}
    files.write_json(paths.METRICS / "inpaint.json", {
        **{f"{name}_{metric}": value for name, row in scores.items() for metric, value in row.items()},
        **{f"{name}_{key}": facts[name][key] for name in found for key in ("steps", "best_step", "held_out")},
    })  # fmt: skip
    with files.replacing(PLOTS) as folder:
        table = pd.DataFrame([{"network": name, **row} for name, row in scores.items()])
        tables.write(folder / "scores.csv", table)
        if tried:
            photo.save(folder / "sides.jpg", sides(tried, filled))


def cases(params: Settings) -> list[Case]:
    """Return photographs of the validation split, of products that no network belongs to; each with its hole."""
    dataset, val = coco.read(paths.ANNOTATIONS), set(files.read_json(paths.SPLIT)["val"])
    own = {params.group(of.product) for of in params.inpaints.values()}
    groups = coco.grouped(dataset, params.dataset.groups)
    ids = [image.id for group, images in groups.items() if group not in own for image in images if image.id in val]
    if not ids:
        print("there is no validation image of another product: nothing to compare the networks on")
        return []
    picked = np.linspace(0, len(ids) - 1, min(PHOTOGRAPHS, len(ids))).round().astype(int)
    chosen = coco.subset(dataset, [ids[k] for k in picked])
    hide, made = ObjectShape(silhouettes([chosen])), []
    for k, image in enumerate(chosen.images):
        truth = photo.load(paths.SOURCE_IMAGES / image.file_name, image.width, image.height)
        made.append(Case(truth, hide(truth.shape[:2], np.random.default_rng([params.seed, k]))))
    return made


def score(tried: list[Case], filled: list[np.ndarray]) -> dict[str, float]:
    """Return the mean of each metric, inside the holes: over whole pictures all ways look perfect."""
    import torch

    from stages.inpaint.similarity import METRICS

    def tensor(pixels: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255

    rows = []
    for case, pixels in zip(tried, filled, strict=True):
        made, truth, hole = tensor(pixels), tensor(case.truth), torch.from_numpy(case.hole)[None, None]
        rows.append({name: float(metric(made, truth, hole)) for name, metric in METRICS.items()})
    return pd.DataFrame(rows).mean().round(DECIMALS).to_dict()


def sides(tried: list[Case], filled: dict[str, list[np.ndarray]]) -> np.ndarray:
    """Return a picture with a row for each photograph: the hole, what every way puts there, and the truth."""
    columns: dict[str, Callable[[int], np.ndarray]] = {
        "masked": lambda k: np.where(tried[k].hole[..., None], np.array(HIDDEN, np.uint8), tried[k].truth),
        **{name: pictures.__getitem__ for name, pictures in filled.items()},
        "truth": lambda k: tried[k].truth,
    }
    shown = np.linspace(0, len(tried) - 1, min(SHOWN, len(tried))).round().astype(int)
    rows = [
        [photo.squashed(column(k)[around(tried[k].hole)], TILE) for column in columns.values()] for k in shown.tolist()
    ]
    head = np.full((22, len(columns) * (TILE + 6) - 6, 3), 255, np.uint8)
    for k, name in enumerate(columns):
        at = (k * (TILE + 6), 15)
        cv2.putText(head, name, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (30, 30, 30), 1, cv2.LINE_AA)
    return np.concatenate([head, drawing.sheet([tile for row in rows for tile in row], len(columns))])


if __name__ == "__main__":
    command.run(main, __doc__)

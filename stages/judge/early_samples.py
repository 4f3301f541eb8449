"""What early samples are worth, with and without a finished run to start from (reports/plots/early/verdicts.csv).

The thesis's 4.4.1 finds that a GAN that goes on from another is trained faster. So the judge looks at the samples of
the same noise that each experiment draws during training, at the first steps that all of them have.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from stages import command, paths, progress, settings, tables
from stages.dataset import photo
from stages.judge import candidate_pictures, picture_judge
from stages.judge.colours import COLOURS
from stages.judge.picture_judge import Judged
from stages.training import run_facts

COMPARED = {  # experiments, and what they learn from
    "wgan_ten": "the ten images, from nothing",
    "wgan_transfer": "another product's ten, going on from wgan_ten",
    "wgan_pretrained_ten": "the ten images, going on from wgan_pretrain",
}
FIRST = 5  # steps
ROW = 10  # samples in a row of a grid


def main() -> None:
    params = settings.load()
    there = [n for n in COMPARED if n in params.experiments and (paths.GANS / n / run_facts.FACTS).exists()]
    grids = {name: by_step(paths.GANS / name / "grids") for name in there}
    rows = []
    for name in progress.bar(there, what="early samples", unit="experiment"):
        parents = [Path(folder) for folder in run_facts.read(paths.GANS / name)["parents"]]
        drawn = candidate_pictures.drawn(name, params)
        by = picture_judge.of(params.experiments[name].product, parents, drawn, params)
        for step in shared(grids.values()):
            pixels = samples(photo.read(grids[name][step]), params.now.judge.size)
            rows.append({"experiment": name, "step": step, **summary(picture_judge.judge(pixels, by, params))})
    tables.write(paths.PLOTS / "early" / "verdicts.csv", pd.DataFrame(rows, columns=["experiment", "step", *FIGURES]))


def by_step(folder: Path) -> dict[int, Path]:
    """Return a run's grids of samples by the steps at which they were drawn."""
    return {int(path.stem.removeprefix("step_")): path for path in folder.glob("step_*.jpg")}


def shared(grids: Iterable[dict[int, Path]]) -> list[int]:
    """Return the first steps of which all runs have a grid."""
    steps = [set(of) for of in grids]
    return sorted(set.intersection(*steps))[:FIRST] if steps else []


def samples(grid: np.ndarray, size: int) -> np.ndarray:
    """Return the pictures of a grid (100, size, size, 3; uint8)."""
    side = grid.shape[1] // ROW
    tiles = grid.reshape(-1, side, ROW, side, 3).swapaxes(1, 2).reshape(-1, side, side, 3)
    return np.stack([photo.squashed(tile, size) for tile in tiles])


FIGURES = (*COLOURS, "objects", "certainty")  # shares of the samples; objects in each, how sure the judge's detector is


def summary(judged: list[Judged]) -> dict[str, float]:
    """Return the shares of the verdicts, how many objects a sample has on average, and how surely they are seen."""
    sure = [one.evidence.quality.whole.confidence for one in judged]
    shares = {colour: sum(one.colour == colour for one in judged) / len(judged) for colour in COLOURS}
    seen = np.concatenate(sure)
    about = {"objects": len(seen) / len(judged), "certainty": float(seen.mean()) if len(seen) else 0.0}
    return {name: round(value, 4) for name, value in (shares | about).items()}


if __name__ == "__main__":
    command.run(main, __doc__)

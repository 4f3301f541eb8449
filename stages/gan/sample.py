"""Draw candidates from the generators that an experiment has kept (data/candidates/<experiment>).

Each has a seed of its own in manifest.csv, from which it can be drawn again, to the same pixels on the same kind of
machine. interpolation.jpg shows the way from one latent vector to the next, row by row.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from stages import command, files, paths, progress, settings
from stages.dataset import photo
from stages.gan import run
from stages.gan.networks import Generator, to_pixels

SEEDS = 1_000_000  # of candidates, for each seed of the project
WAYS, ALONG = 5, 10  # interpolation: so many ways, so many pictures on each


def main(experiment: str) -> None:
    params = settings.load()
    params.experiment(experiment)
    trained = paths.GANS / experiment
    facts = run.facts(trained)
    steps = facts["sampled_steps"]
    rows = []
    with files.replacing(paths.CANDIDATES / experiment) as folder:
        shown = progress.bar(total=len(steps) * params.now.candidates, what=f"sample {experiment}", unit="picture")
        for step in steps:
            generator = run.generator(trained, step)
            for number in range(params.now.candidates):
                seed = params.seed * SEEDS + len(rows)
                name = f"{experiment}_{step}_{number:03}"
                photo.save(folder / f"{name}.png", draw(generator, latent(seed, generator.z)))
                rows.append({
                    "id": name, "experiment": experiment, "step": step, "seed": seed,
                    "parents": ";".join(facts["parents"]), "boxes": "",
                    "frame_width": facts["frame"][0], "frame_height": facts["frame"][1],
                })  # fmt: skip
                shown.update()
        photo.save(folder / "interpolation.jpg", interpolation(generator, params.seed * SEEDS))
        files.write(folder / "manifest.csv", pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
        shown.close()


def redraw(row: dict, models: Path = paths.GANS) -> np.ndarray:
    """The candidate that a row of a manifest speaks of, drawn again."""
    generator = run.generator(models / row["experiment"], int(row["step"]))
    return draw(generator, latent(int(row["seed"]), generator.z))


def latent(seed: int, z: int) -> Tensor:
    return torch.randn(z, generator=torch.Generator().manual_seed(seed))


def draw(generator: Generator, of: Tensor) -> np.ndarray:
    """One picture (size, size, 3), alone: in a batch its last bits would depend on its neighbours."""
    return to_pixels(generator(of[None]))[0]


def interpolation(generator: Generator, seed: int) -> np.ndarray:
    """Pictures on the way between pairs of latent vectors, at constant angle: that keeps their length."""
    rows = []
    for way in range(WAYS):
        a, b = latent(seed + 2 * way, generator.z), latent(seed + 2 * way + 1, generator.z)
        angle = torch.arccos(torch.cosine_similarity(a, b, dim=0))
        between = [(torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)
                   for t in torch.linspace(0, 1, ALONG)]  # fmt: skip
        rows.append(np.concatenate([draw(generator, of) for of in between], 1))
    return np.concatenate(rows)


if __name__ == "__main__":
    command.run(main, __doc__, experiment="which of params.yaml's experiments")

"""Train one of params.yaml's experiments (models/gan/<experiment>).

A killed run is continued when it is started again, to the same weights. If settings or pictures have changed
meanwhile it refuses, and says what changed; with TENFOLD_FRESH=1 in the environment it starts afresh.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from stages import command, files, paths, settings
from stages.dataset import photo
from stages.gan import run, snapshots, trainer, training_images
from stages.gan.recipe import recipe_of, sampled_steps
from stages.training import checkpoint, distributed

PACKAGES = ("torch", "numpy", "safetensors", "opencv-python-headless")

Steps = frozenset[int]


def main(experiment: str) -> None:
    params = settings.load()
    asked, scale, recipe = params.experiment(experiment), params.now.gan, recipe_of(params, experiment)
    own = paths.SUBSETS / asked.subset
    folders = pictured(own, Path(asked.extra))
    start = None if Path(asked.start) == own else Path(asked.start)
    inherited = run.facts(start)["parents"] if start else []
    seen = training_images.load(folders, recipe.size)

    stops, grids, kept = schedule(recipe.steps, scale.every, scale.grids, sampled_steps(params, experiment))
    work = paths.CHECKPOINTS / "gan" / params.scale / experiment
    players, rows = distributed.play(
        recipe.processes,
        partial(
            trainer.train, seen.pixels, recipe, params.seed, work, stops,
            title=f"gan {experiment}",
            parent=run.state(start) if start else None,
            fresh=os.environ.get("TENFOLD_FRESH") == "1",
            watch=snapshots.Snapshots(work, grids, kept, paths.TIMING / "gan" / f"{experiment}.csv"),
        ),
    )  # fmt: skip

    with files.replacing(paths.GANS / experiment) as folder:
        files.write(folder / run.FINAL, checkpoint.packed(players.state()))
        for step in sorted(kept):
            shutil.copyfile(work / run.generator_name(step), folder / run.generator_name(step))
        drawn = [work / "grids" / f"step_{step:09}.jpg" for step in sorted(grids)]
        for path in drawn:
            target = folder / "grids" / path.name
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, target)
        photo.save(folder / "film.jpg", snapshots.film([photo.read(path) for path in drawn]))
        files.write_json(folder / run.FACTS, {
            "experiment": experiment,
            "recipe": recipe.facts(),
            "seed": params.seed,
            "fingerprint": files.fingerprint(recipe.facts(), params.seed, *folders, *([start] if start else [])),
            "images": len(seen.pixels),
            "frame": list(seen.frame),
            "parents": list(dict.fromkeys([*map(str, folders), *inherited])),  # whose images it has learnt from
            "start": str(start) if start else None,
            "sampled_steps": sorted(kept),
            "parameters": {"generator": count(players.generator), "critic": count(players.critic)},
            "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
            "device": players.device.type,
        })  # fmt: skip
    curves = pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")
    files.write(paths.PLOTS / "gan" / f"{experiment}.csv", curves)
    shutil.rmtree(work)


def pictured(own: Path, extra: Path) -> list[Path]:
    """The folders to learn from: the own subset, and what more there is. Naming the own subset again means nothing."""
    if extra == own:
        return [own]
    if not files.read_json(extra / "annotations.json")["images"]:
        print(f"{extra}: no candidate was accepted; learning from {own} alone")
        return [own]
    return [own, extra]


def schedule(
    steps: int, every: int, grids: int, sampled: list[int]
) -> tuple[list[int], frozenset[int], frozenset[int]]:
    """Where training stops for a checkpoint, and at which of these stops a grid is drawn and the generator kept."""
    drawn = {int(step) for step in np.linspace(0, steps, grids + 1)[1:].round() if step >= 1}
    stops = {*range(every, steps, every), *drawn, *sampled, steps}
    return sorted(stops), frozenset(drawn), frozenset(sampled)


def count(network: torch.nn.Module) -> int:
    """Trainable parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


if __name__ == "__main__":
    command.run(main, __doc__, experiment="which of params.yaml's experiments")

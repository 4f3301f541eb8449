"""Train one of params.yaml's experiments (models/gan/<experiment>).

A killed run is continued when it is started again, to the same weights. If settings or pictures have changed
meanwhile it refuses, and says what changed; with TENFOLD_FRESH=1 in the environment it starts afresh.
"""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stages import command, files, paths, settings
from stages.dataset import photo
from stages.gan import training_images
from stages.gan.recipe import recipe_of, sampled_steps
from stages.training import run_facts

if TYPE_CHECKING:
    from torch.nn import Module


def main(experiment: str) -> None:
    params = settings.load()
    asked, scale = settings.named(experiment, params.experiments), params.now.gan
    # Torch takes seconds to import: a wrong setting is told before.
    from stages.gan import snapshots, trainer
    from stages.gan.kept_generators import generator, interpolation, kept_name
    from stages.gan.trainer import GanTraining
    from stages.training import checkpoint, distributed, weights

    folders = pictured(paths.SUBSETS / asked.subset, settings.named_folder(asked.extra))
    start = settings.named_folder(asked.start)
    inherited = run_facts.read(start)["parents"] if start else []
    seen = training_images.load(folders, scale.size)

    recipe = recipe_of(params, experiment, len(seen.pixels))
    stops, grids, kept = schedule(recipe.steps, scale.every, scale.grids, sampled_steps(asked.sample_at, recipe.steps))
    work = paths.CHECKPOINTS / "gan" / params.scale / experiment
    run = GanTraining(
        seen.pixels, recipe, params.seed, work, stops,
        title=f"gan {experiment}",
        parent=weights.load(start / weights.FINAL) if start else None,
        fresh=checkpoint.afresh(),
        watch=snapshots.Snapshots(work, grids, kept, paths.TIMING / "gan" / f"{experiment}.csv"),
    )  # fmt: skip
    done = distributed.run(recipe.processes, partial(trainer.train, run))
    sampled = done.reached(kept)

    with files.replacing(paths.GANS / experiment) as folder:
        files.write(folder / weights.FINAL, weights.packed(done.pair.state()))
        for step in sampled:
            shutil.copyfile(work / kept_name(step), folder / kept_name(step))
        drawn = [work / "grids" / f"step_{step:09}.jpg" for step in done.reached(grids)]
        for path in drawn:
            target = folder / "grids" / path.name
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, target)
        photo.save(folder / "film.jpg", snapshots.film([photo.read(path) for path in drawn]))
        run_facts.write(
            folder, experiment, recipe, params.seed, [*folders, *([start] if start else [])],
            images=len(seen.pixels),
            frame=list(seen.frame),
            parents=list(dict.fromkeys([*map(str, folders), *inherited])),  # whose images it has learnt from
            start=str(start) if start else None,
            steps=done.steps,  # fewer than the recipe's where the generator has collapsed
            collapsed=done.collapsed,
            sampled_steps=sampled,
            parameters={"generator": count(done.pair.generator), "critic": count(done.pair.critic)},
            device=done.pair.device.type,
        )  # fmt: skip
        last = generator(folder, sampled[-1])
        photo.save(folder / "interpolation.jpg", interpolation(last, settings.candidate_seed(params.seed, 0)))
    curves = pd.DataFrame(done.rows).to_csv(index=False, lineterminator="\n")
    files.write(paths.PLOTS / "gan" / f"{experiment}.csv", curves)
    shutil.rmtree(work)


def pictured(own: Path, extra: Path | None) -> list[Path]:
    """Return the folders to learn from: the own subset, and what more there is, if there is any picture in it."""
    if extra is None:
        return [own]
    if not files.read_json(extra / "annotations.json")["images"]:
        print(f"{extra}: no candidate was accepted; learning from {own} alone")
        return [own]
    return [own, extra]


def schedule(
    steps: int, every: int, grids: int, sampled: list[int]
) -> tuple[list[int], frozenset[int], frozenset[int]]:
    """Return where training stops for a checkpoint, and at which stops a grid is drawn and the generator kept."""
    drawn = {int(step) for step in np.linspace(0, steps, grids + 1)[1:].round() if step >= 1}
    stops = {*range(every, steps, every), *drawn, *sampled, steps}
    return sorted(stops), frozenset(drawn), frozenset(sampled)


def count(network: Module) -> int:
    """Return a network's number of trainable parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


if __name__ == "__main__":
    command.run(main, __doc__, experiment="which of params.yaml's experiments")

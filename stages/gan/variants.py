"""Train variants of the GAN, subclasses of GanPair, that draw a part of a picture: a texture, or an object."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from stages import files, paths, tables
from stages.gan import trainer
from stages.gan.gan_pair import GanPair
from stages.gan.recipe import GanRecipe
from stages.gan.trainer import GanTraining
from stages.settings import Settings
from stages.training import checkpoint, distributed, run_facts, weights

CURVES = "curves.csv"


def training(params: Settings, model: Path, kind: type[GanPair], pixels: np.ndarray, recipe: GanRecipe) -> GanTraining:
    """Return the run that trains the variant `kind` on `pixels`, for the folder `model`."""
    room, every = model.parent.name, params.now.gan.every
    return GanTraining(
        pixels, recipe, params.seed, paths.CHECKPOINTS / room / params.scale / model.name,
        [*range(every, recipe.steps, every), recipe.steps],
        title=f"{room} {model.name}", fresh=checkpoint.afresh(), kind=kind,
    )  # fmt: skip


def train(model: Path, run: GanTraining, parents: list[Path], facts: dict) -> None:
    """Train a variant. Leave in the folder `model` its generator, the losses, and the run's facts: `parents`, whose
    images it has learnt from, and more `facts`."""
    done = distributed.run(run.recipe.processes, partial(trainer.train, run))
    with files.replacing(model) as part:
        files.write(part / weights.GENERATOR, weights.packed(done.pair.inference_generator.state_dict()))
        tables.write(part / CURVES, pd.DataFrame(done.rows))
        run_facts.write(
            part, model.name, run.recipe, run.seed, parents, pictures=len(run.pictures),
            parents=[str(parent) for parent in parents], steps=done.steps, collapsed=done.collapsed, **facts,
            device=done.pair.device.type,
        )  # fmt: skip
    shutil.rmtree(run.folder)

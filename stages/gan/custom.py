"""Other networks in the same game, by the same trainer: what they paint is a part of a picture, not a whole one."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from stages import files
from stages.gan import run, trainer
from stages.gan.gan_pair import GanPair
from stages.gan.recipe import GanRecipe
from stages.problem import Problem
from stages.settings import Settings
from stages.training import checkpoint, distributed

PACKAGES = ("torch", "numpy", "safetensors", "opencv-python-headless")
GENERATOR = "generator.safetensors"
CURVES = "curves.csv"


def shared(params: Settings) -> dict:
    """What is the same in the recipes of all of them."""
    scale = params.now.gan
    return {
        "penalty_weight": params.gan.penalty_weight,
        "lr": scale.lr,
        "betas": params.gan.betas,
        "epsilon": params.gan.epsilon,
        "precision": scale.precision,
        "augment": (),
        "processes": 1,
    }


def train(
    folder: Path,
    kind: type[GanPair],
    pixels: np.ndarray,
    recipe: GanRecipe,
    seed: int,
    every: int,
    work: Path,
    parents: list[Path],
    more: dict,
) -> None:
    """Train on `pixels` and leave a folder: the generator, its losses, and run.json with `more` facts.

    Every so many steps there is a checkpoint in `work`, from which a killed run is continued.
    """
    stops = [*range(every, recipe.steps, every), recipe.steps]
    fresh = os.environ.get("TENFOLD_FRESH") == "1"
    title = f"{folder.parent.name} {folder.name}"
    game = partial(trainer.train, pixels, recipe, seed, work, stops, title=title, fresh=fresh, kind=kind)
    players, rows = distributed.play(recipe.processes, game)
    with files.replacing(folder) as part:
        files.write(part / GENERATOR, checkpoint.packed(players.artist.state_dict()))
        files.write(part / CURVES, pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
        files.write_json(part / run.FACTS, {
            "experiment": folder.name,
            "recipe": recipe.facts(),
            "seed": seed,
            "fingerprint": files.fingerprint(recipe.facts(), seed, *parents),
            "pictures": len(pixels),
            "parents": [str(parent) for parent in parents],  # whose images it has learnt from
            **more,
            "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
            "device": players.device.type,
        })  # fmt: skip
    shutil.rmtree(work)


def weights(folder: Path) -> dict[str, Tensor]:
    """Of the generator that a finished run has left."""
    path = folder / GENERATOR
    try:
        return load_file(path)
    except (FileNotFoundError, SafetensorError) as error:
        raise Problem(f"{path}: these are no whole weights ({error}); train it again") from None

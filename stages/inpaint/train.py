"""Train one of params.yaml's inpaints (models/inpaint/<name>), until it gets no better on held-out images.

A killed run is continued when it is started again, to the same weights. If settings or pictures have changed
meanwhile it refuses, and says what changed; with TENFOLD_FRESH=1 in the environment it starts afresh.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
from pathlib import Path

import pandas as pd
from torch import Tensor

from stages import command, files, paths, settings
from stages.dataset import coco
from stages.inpaint import holes, run, trainer, windows
from stages.inpaint.inpainter import Inpainter
from stages.inpaint.recipe import InpaintRecipe, recipe_of
from stages.inpaint.trainer import Row
from stages.problem import Problem
from stages.training import checkpoint, distributed
from stages.training.distributed import WorkerGroup

PACKAGES = ("torch", "numpy", "safetensors", "opencv-python-headless")
INHERITED = ("network", "size", "dim", "optimizer")  # what a run has to have in common with one that it continues


def main(name: str) -> None:
    params = settings.load()
    asked, recipe = settings.named(name, params.inpaints), recipe_of(params, name)
    own = paths.SUBSETS / asked.subset
    folders = list(dict.fromkeys([own, Path(asked.extra)]))
    start = None if Path(asked.start) == own else Path(asked.start)
    inherited = checked(start, recipe)["parents"] if start else []
    sources = files.fingerprint(*folders, *([start] if start else []))

    outlines = windows.silhouettes([coco.read(folder / "annotations.json") for folder in folders])
    hide = holes.one_of(recipe.holes, outlines)
    camera = hide if recipe.incomplete else None
    seen, held = windows.load(folders, recipe.size, recipe.windows, params.seed, camera)
    work = paths.CHECKPOINTS / "inpaint" / params.scale / name
    parent, fresh = run.state(start) if start else None, os.environ.get("TENFOLD_FRESH") == "1"

    def game(alone: WorkerGroup) -> tuple[Inpainter, dict[str, Tensor], list[Row]]:
        return trainer.train(
            seen, held, hide, recipe, params.seed, sources, work, alone.device,
            title=f"inpaint {name}", parent=parent, fresh=fresh,
        )  # fmt: skip

    learner, best, rows = distributed.play(1, game)  # which sees to it that the number of threads changes nothing

    curves = pd.DataFrame(rows)
    at = int(curves["held_out"].argmin())
    with files.replacing(paths.INPAINTS / name) as folder:
        files.write(folder / run.NETWORK, checkpoint.packed(best))
        files.write(folder / run.FINAL, checkpoint.packed(learner.state()))
        files.write_json(folder / run.FACTS, {
            "name": name,
            "recipe": recipe.facts(),
            "seed": params.seed,
            "fingerprint": files.fingerprint(recipe.facts(), params.seed, sources),
            "windows": {"train": len(seen.pixels), "held_out": len(held.pixels)},
            "parents": list(dict.fromkeys([*map(str, folders), *inherited])),  # whose images it has learnt from
            "start": str(start) if start else None,
            "steps": rows[-1]["step"],
            "best_step": rows[at]["step"],
            "held_out": rows[at]["held_out"],
            "parameters": {
                "network": sum(p.numel() for p in learner.network.parameters()),
                "critics": sum(p.numel() for p in learner.critics.parameters()),
            },
            "versions": {package: importlib.metadata.version(package) for package in PACKAGES},
            "device": learner.device.type,
        })  # fmt: skip
    files.write(paths.PLOTS / "inpaint" / f"{name}.csv", curves.to_csv(index=False, lineterminator="\n"))
    shutil.rmtree(work)


def checked(start: Path, recipe: InpaintRecipe) -> dict:
    """The facts of the run that is continued; a Problem where it has other networks or another optimiser."""
    facts = run.facts(start)
    for key in INHERITED:
        if facts["recipe"][key] != (ours := recipe.facts()[key]):
            raise Problem(f"{start} cannot be continued: its {key} is {facts['recipe'][key]}, here {ours} is asked for")
    return facts


if __name__ == "__main__":
    command.run(main, __doc__, name="which of params.yaml's inpaints")

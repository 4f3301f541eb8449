"""Train one of params.yaml's inpaints (models/inpaint/<name>), until it gets no better on held-out images.

A killed run is continued when it is started again, to the same weights. If settings or pictures have changed
meanwhile it refuses, and says what changed; with TENFOLD_FRESH=1 in the environment it starts afresh.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd

from stages import command, files, paths, settings, tables
from stages.dataset import coco
from stages.inpaint import holes, windows
from stages.inpaint.recipe import InpaintRecipe, recipe_of
from stages.problem import Problem
from stages.training import run_facts

INHERITED = ("network", "size", "dim", "optimizer")  # what a run has to have in common with one that it continues


def main(name: str) -> None:
    params = settings.load()
    asked, recipe = settings.named(name, params.inpaints), recipe_of(params, name)
    # Torch takes seconds to import: a wrong setting is told before.
    from stages.inpaint import trainer
    from stages.inpaint.fill import NETWORK
    from stages.inpaint.trainer import InpaintTraining
    from stages.training import checkpoint, distributed, weights

    extra, start = settings.named_folder(asked.extra), settings.named_folder(asked.start)
    folders = [paths.SUBSETS / asked.subset, *([extra] if extra else [])]
    inherited = checked(start, recipe)["parents"] if start else []
    sources = files.fingerprint(*folders, *([start] if start else []))

    outlines = windows.silhouettes([coco.read(folder / "annotations.json") for folder in folders])
    hide = holes.one_of(recipe.holes, outlines)
    camera = hide if recipe.incomplete else None
    seen, held = windows.load(folders, recipe.size, recipe.windows, params.seed, camera)
    run = InpaintTraining(
        seen, held, hide, recipe, params.seed, sources, paths.CHECKPOINTS / "inpaint" / params.scale / name,
        title=f"inpaint {name}", parent=weights.load(start / weights.FINAL) if start else None,
        fresh=checkpoint.afresh(),
    )  # fmt: skip
    # One process, as `distributed` starts it: then the number of threads changes nothing.
    inpainter, best, rows = distributed.run(1, lambda alone: trainer.train(run, alone.device))

    curves = pd.DataFrame(rows)
    at = int(curves["held_out"].argmin())
    with files.replacing(paths.INPAINTS / name) as folder:
        files.write(folder / NETWORK, weights.packed(best))
        files.write(folder / weights.FINAL, weights.packed(inpainter.state()))
        run_facts.write(
            folder, name, recipe, params.seed, [sources],
            windows={"train": len(seen.pixels), "held_out": len(held.pixels)},
            parents=list(dict.fromkeys([*map(str, folders), *inherited])),  # whose images it has learnt from
            start=str(start) if start else None,
            steps=rows[-1]["step"],
            best_step=rows[at]["step"],
            held_out=rows[at]["held_out"],
            parameters={
                "network": sum(p.numel() for p in inpainter.network.parameters()),
                "critics": sum(p.numel() for p in inpainter.critics.parameters()),
            },
            device=inpainter.device.type,
        )  # fmt: skip
    tables.write(paths.PLOTS / "inpaint" / f"{name}.csv", curves)
    shutil.rmtree(run.folder)


def checked(start: Path, recipe: InpaintRecipe) -> dict:
    """Return the facts of the run that is continued; a Problem where it has other networks or another optimiser."""
    facts, ours = run_facts.read(start), run_facts.recipe_facts(recipe)
    for key in INHERITED:
        if (theirs := facts["recipe"][key]) != ours[key]:
            raise Problem(f"{start} cannot be continued: its {key} is {theirs}, here {ours[key]} is asked for")
    return facts


if __name__ == "__main__":
    command.run(main, __doc__, name="which of params.yaml's inpaints")

"""Train one network until it gets no better on held-out images: resumable at any moment, to the same weights.

What is by chance in a step follows from the seed and the step's number alone, so there is nothing to be kept of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stages import files, progress
from stages.gan.networks import from_pixels
from stages.inpaint.holes import HoleMaker
from stages.inpaint.inpainter import REPORT, Inpainter
from stages.inpaint.recipe import InpaintRecipe
from stages.inpaint.windows import Windows
from stages.training import checkpoint, run_facts
from stages.training.state import under

HELD_OUT = 96  # windows of held-out images that training is measured on, at most
STEP, LOOK = 1, 2  # what a chance is for

Row = dict[str, float]
Batch = tuple[Tensor, Tensor, Tensor]  # pictures in -1…1, what was ever seen of them, what is hidden now


@dataclass(frozen=True)
class InpaintTraining:
    """All that one training run is made of."""

    windows: Windows  # to learn from …
    held: Windows  # … and of images held out of these, to see when to stop
    holes: HoleMaker
    recipe: InpaintRecipe
    seed: int
    sources: str  # fingerprint of the pictures and of the run that is continued
    folder: Path  # of its checkpoints
    title: str = "inpaint"  # of the progress bar
    parent: dict[str, Tensor] | None = None  # the state of a finished run to start from
    fresh: bool = False  # whether what is in the folder is dropped; else it is continued

    @property
    def identity(self) -> dict:
        """Return what decides where the run ends, as its checkpoints hold it."""
        return {"recipe": run_facts.recipe_facts(self.recipe), "seed": self.seed, "sources": self.sources}


def train(run: InpaintTraining, device: torch.device) -> tuple[Inpainter, dict[str, Tensor], list[Row]]:
    """Return the inpainter, the weights that did best on the held-out images, and one row for each look at these.

    There is a checkpoint at every look. A run that was killed goes on from its last; those of another run are refused.
    """
    recipe, folder = run.recipe, run.folder
    inpainter = Inpainter(recipe, run.seed, device)
    held_out = _held_out(run, device)
    done, rows, best = 0, [], {}
    with files.locked(folder / "lock"), progress.bar(total=recipe.steps, what=run.title, unit="step") as shown:
        if found := checkpoint.resume(folder, run.identity, run.fresh):
            tensors, facts = found
            inpainter.restore(tensors)
            done, rows, best = facts["step"], facts["rows"], under("best", tensors)
        elif run.parent:
            inpainter.restore(run.parent)
        shown.update(done)
        while done < recipe.steps and _waited(rows) < recipe.patience:
            stop = min(done + recipe.every, recipe.steps)
            reports = []
            for step in range(done + 1, stop + 1):
                reports.append(inpainter.step(*_batch(run, step, device)))
                shown.update()
            means = torch.stack(reports).mean(0).tolist()
            row = dict(zip(REPORT, means, strict=False)) | {"held_out": _score(inpainter, held_out)}
            if not all(map(math.isfinite, row.values())):
                raise checkpoint.failure(folder, stop, row, "a loss is no longer a number")
            done = stop
            rows.append({"step": done, **{name: round(value, 6) for name, value in row.items()}})
            if _waited(rows) == 0:
                best = {name: value.clone() for name, value in inpainter.network.state_dict().items()}
            shown.set_postfix_str(f"held out {row['held_out']:.3f}", refresh=False)
            state = inpainter.state() | {f"best.{name}": value for name, value in best.items()}
            checkpoint.keep(folder, done, state, {"identity": run.identity, "rows": rows})
    return inpainter, best, rows


def _waited(rows: list[Row]) -> int:
    """Return how many looks at the held-out images have passed since the best one."""
    losses = [row["held_out"] for row in rows]
    return len(losses) - 1 - losses.index(min(losses)) if losses else 0


def _batch(run: InpaintTraining, step: int, device: torch.device) -> Batch:
    """Return what a step trains on: windows, mirrored or not, with holes."""
    torch.manual_seed((run.seed << 32) + step)  # dropout asks the global chance
    rng = np.random.default_rng([run.seed, STEP, step])
    picked = rng.integers(len(run.windows.pixels), size=run.recipe.batch)
    pixels, seen = run.windows.pixels[picked], run.windows.seen[picked]
    for axis in (1, 2):
        if rng.random() < 0.5:
            pixels, seen = np.flip(pixels, axis), np.flip(seen, axis)
    return _tensors(pixels, seen, run.holes, rng, device)


def _held_out(run: InpaintTraining, device: torch.device) -> list[Batch]:
    """Return some of the windows held out, each with a hole that stays the same."""
    rng = np.random.default_rng([run.seed, LOOK])
    picked = np.linspace(0, len(run.held.pixels) - 1, min(HELD_OUT, len(run.held.pixels))).astype(int)
    parts = np.array_split(picked, -(-len(picked) // run.recipe.batch))
    return [_tensors(run.held.pixels[part], run.held.seen[part], run.holes, rng, device) for part in parts]


def _tensors(
    pixels: np.ndarray, seen: np.ndarray, holes: HoleMaker, rng: np.random.Generator, device: torch.device
) -> Batch:
    hidden = np.stack([holes(one.shape, rng) for one in seen])
    pictures = from_pixels(np.ascontiguousarray(pixels)).to(device, memory_format=torch.channels_last)
    known, asked = (torch.from_numpy(np.ascontiguousarray(mask))[:, None].to(device) for mask in (seen, hidden))
    return pictures, known, asked


def _score(inpainter: Inpainter, batches: list[Batch]) -> float:
    return float(torch.cat([inpainter.score(*batch) for batch in batches]).mean())

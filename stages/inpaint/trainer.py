"""Training one network until it gets no better on held-out images: resumable at any moment, to the same weights.

What is by chance in a step follows from the seed and the step's number alone, so there is nothing to be kept of it.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stages import files, progress
from stages.gan.networks import from_pixels
from stages.inpaint.holes import HoleMaker
from stages.inpaint.inpainter import REPORT, Inpainter, under
from stages.inpaint.recipe import InpaintRecipe
from stages.inpaint.windows import Windows
from stages.problem import Problem
from stages.training import checkpoint

EXAM = 96  # windows of held-out images, at most
STEP, LOOK = 1, 2  # what a chance is for

Row = dict[str, float]
Batch = tuple[Tensor, Tensor, Tensor]  # pictures in -1…1, what was ever seen of them, what is hidden now


def train(
    windows: Windows,
    held: Windows,
    holes: HoleMaker,
    recipe: InpaintRecipe,
    seed: int,
    sources: str,
    folder: Path,
    device: torch.device,
    title: str = "inpaint",
    parent: dict[str, Tensor] | None = None,
    fresh: bool = False,
) -> tuple[Inpainter, dict[str, Tensor], list[Row]]:
    """Train on `windows`; return the learner, the weights that did best on `held`, and one row for each look.

    A checkpoint goes to `folder` at every look. What is there is continued; if it belongs to another recipe, seed, or
    other pictures or parent (`sources` is their fingerprint), that is refused, unless `fresh` says to start anew.
    `parent` is the state of a finished run to start from.
    """
    identity = {"recipe": recipe.facts(), "seed": seed, "sources": sources}
    learner = Inpainter(recipe, seed, device)
    exam = _batches(held, holes, recipe, seed, device)
    with files.locked(folder / "lock"), progress.bar(total=recipe.steps, what=title, unit="step") as shown:
        if fresh:
            checkpoint.clear(folder)
        done, rows, best = _resume(folder, identity, learner)
        if parent and not done:
            learner.restore(parent)
        shown.update(done)
        while done < recipe.steps and _waited(rows) < recipe.patience:
            stop = min(done + recipe.every, recipe.steps)
            reports = []
            for step in range(done + 1, stop + 1):
                reports.append(learner.step(*_batch(windows, holes, recipe, seed, step, device)))
                shown.update()
            means = torch.stack(reports).mean(0).tolist()
            row = dict(zip(REPORT, means, strict=False)) | {"held_out": _score(learner, exam)}
            if not all(map(math.isfinite, row.values())):
                raise Problem(f"step {stop}: a loss is no longer a number; the last good checkpoint is in {folder}")
            done = stop
            rows.append({"step": done, **{name: round(value, 6) for name, value in row.items()}})
            if _waited(rows) == 0:
                best = {f"best.{name}": value.clone() for name, value in learner.network.state_dict().items()}
            shown.set_postfix_str(f"held out {row['held_out']:.3f}", refresh=False)
            checkpoint.keep(folder, done, learner.state() | best, {"identity": identity, "rows": rows})
    return learner, under("best", best), rows


def _waited(rows: list[Row]) -> int:
    """Looks since the best one."""
    losses = [row["held_out"] for row in rows]
    return len(losses) - 1 - losses.index(min(losses)) if losses else 0


def _batch(
    windows: Windows, holes: HoleMaker, recipe: InpaintRecipe, seed: int, step: int, device: torch.device
) -> Batch:
    """What a step trains on: windows, mirrored or not, with holes."""
    torch.manual_seed((seed << 32) + step)  # dropout asks the global chance
    rng = np.random.default_rng([seed, STEP, step])
    picked = rng.integers(len(windows.pixels), size=recipe.batch)
    pixels, seen = windows.pixels[picked], windows.seen[picked]
    for axis in (1, 2):
        if rng.random() < 0.5:
            pixels, seen = np.flip(pixels, axis), np.flip(seen, axis)
    return _tensors(pixels, seen, holes, rng, device)


def _batches(windows: Windows, holes: HoleMaker, recipe: InpaintRecipe, seed: int, device: torch.device) -> list[Batch]:
    """Some of the windows, each with a hole that stays the same."""
    rng = np.random.default_rng([seed, LOOK])
    picked = np.linspace(0, len(windows.pixels) - 1, min(EXAM, len(windows.pixels))).astype(int)
    parts = np.array_split(picked, -(-len(picked) // recipe.batch))
    return [_tensors(windows.pixels[part], windows.seen[part], holes, rng, device) for part in parts]


def _tensors(
    pixels: np.ndarray, seen: np.ndarray, holes: HoleMaker, rng: np.random.Generator, device: torch.device
) -> Batch:
    hidden = np.stack([holes(one.shape, rng) for one in seen])
    pictures = from_pixels(np.ascontiguousarray(pixels)).to(device, memory_format=torch.channels_last)
    masks = (torch.from_numpy(np.ascontiguousarray(mask))[:, None].to(device) for mask in (seen, hidden))
    return pictures, *masks


def _score(learner: Inpainter, exam: list[Batch]) -> float:
    return float(torch.cat([learner.score(*batch) for batch in exam]).mean())


def _resume(folder: Path, identity: dict, learner: Inpainter) -> tuple[int, list[Row], dict[str, Tensor]]:
    found = checkpoint.newest(folder)
    if found is None:
        return 0, [], {}
    tensors, facts, wrong = found
    for line in wrong:
        print(f"tenfold: {line}")
    theirs = facts["identity"]
    if theirs != identity:
        keys = sorted(identity["recipe"].keys() | theirs["recipe"].keys())
        pairs = [(key, theirs["recipe"].get(key), identity["recipe"].get(key)) for key in keys]
        changes = [f"{key}: {was}, now {now}" for key, was, now in pairs if was != now]
        changes += [key for key in ("seed", "sources") if theirs[key] != identity[key]]
        raise Problem(
            f"{folder}: this run was begun with other settings ({'; '.join(changes)}); go back to them, or set "
            "TENFOLD_FRESH=1 to start afresh"
        )
    learner.restore(tensors)
    return facts["step"], facts["rows"], {name: value for name, value in tensors.items() if name.startswith("best.")}

"""Every loss with every penalty, on the same ten images and for the same few steps: what each makes of them.

Needs the subset `ten` (`dvc repro subset@ten`). One thread; some ten minutes at scale demo.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.conditions import record
from stages import paths, settings
from stages.gan import trainer
from stages.gan.losses import LOSSES
from stages.gan.networks import to_pixels
from stages.gan.penalties import PENALTIES
from stages.gan.recipe import GanRecipe, recipe_of
from stages.gan.trainer import GanTraining, TrainedGan
from stages.judge import limits, novelty, reference, set_metrics
from stages.judge.reference import Reference
from stages.settings import Settings
from stages.training import distributed

STEPS, EVERY = 500, 50
SAMPLES = 100


def main() -> None:
    params = settings.load()
    training = reference.read([paths.SUBSETS / "ten"], params.now.gan.size)
    copy = limits.copy_limit(training, params.judge, params.seed).distance
    asked = replace(recipe_of(params, "wgan_ten", len(training)), steps=STEPS)
    figures: dict[str, object] = {
        "scale": params.scale, "images": len(training), "steps": STEPS, "samples": SAMPLES, "copy_distance": copy,
    }  # fmt: skip
    for loss in LOSSES:
        for penalty in PENALTIES:
            recipe = replace(asked, loss=loss, penalty=penalty)
            for name, value in measured(recipe, training, copy, params).items():
                figures[f"{loss}_{penalty.replace('-', '_')}_{name}"] = value
            record("losses_and_penalties", figures, ("torch", "numpy"))


def measured(recipe: GanRecipe, training: Reference, copy: float, params: Settings) -> dict[str, float]:
    """Return what a training ends with: how its samples are, and how its losses went over the second half."""
    paces: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        run = GanTraining(
            training.pixels, recipe, params.seed, Path(folder), [*range(EVERY, STEPS + 1, EVERY)],
            title=f"{recipe.loss} {recipe.penalty}", watch=lambda _step, _pair, pace, _collapsed: paces.append(pace),
        )  # fmt: skip
        done = distributed.run(1, partial(trainer.train, run))
    drawn = samples(done, recipe.z)
    rule = params.judge
    near = novelty.nearest(drawn, training.pixels, rule.shift, rule.shortlist)
    last = done.rows[-1]
    return {
        "taken": done.steps,
        "collapsed": int(done.collapsed),
        "distinct": set_metrics.distinct(drawn, copy, rule.shift),
        "copies": int((near.distance <= copy).sum()),
        "distance": round(float(np.median(near.distance)), 4),
        "accuracy_real": round(last["accuracy_real"], 3),
        "accuracy_fake": round(last["accuracy_fake"], 3),
        "images_a_second": round(float(np.median(paces)), 1),
    }


def samples(done: TrainedGan, z: int) -> np.ndarray:
    latents = torch.randn(SAMPLES, z, generator=torch.Generator().manual_seed(0))
    return to_pixels(done.pair.draw(latents))


if __name__ == "__main__":
    main()

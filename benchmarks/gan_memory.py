"""Whether training keeps its memory: 20,000 steps at scale smoke, with all that happens at its stops."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd

from benchmarks.conditions import record
from stages import settings
from stages.gan import trainer
from stages.gan.recipe import recipe_of
from stages.gan.snapshots import Snapshots
from stages.gan.train import schedule
from stages.gan.trainer import GanTraining
from stages.training import distributed

STEPS, EVERY, GRIDS = 20_000, 250, 20
SETTLED = 2_000  # steps after which memory should not grow any more


def main() -> None:
    recipe = recipe_of(msgspec.structs.replace(settings.load(), scale="smoke"), "wgan_ten", images=10)
    recipe = replace(recipe, steps=STEPS, average=0.99)
    pictures = np.random.default_rng(0).integers(0, 256, (10, recipe.size, recipe.size, 3), np.uint8)
    stops, grids, kept = schedule(STEPS, EVERY, GRIDS, [STEPS])
    with tempfile.TemporaryDirectory() as folder:
        timing = Path(folder) / "timing.csv"
        watch = Snapshots(Path(folder), grids, kept, timing)
        run = GanTraining(pictures, recipe, 0, Path(folder), stops, title="gan memory", watch=watch)
        distributed.run(1, partial(trainer.train, run))
        table = pd.read_csv(timing)
    steps, used = table["step"].to_numpy(int), table["memory_mb"].to_numpy(float)
    settled = steps >= SETTLED
    slope = np.polyfit(steps[settled], used[settled], 1)[0]
    record("gan_memory", {
        "steps": STEPS,
        "mb_after_2000_steps": float(used[steps == SETTLED][0]),
        "mb_after_20000_steps": float(used[steps == STEPS][0]),
        "mb_most_from_there_on": float(used[settled].max()),
        "mb_growth_per_10000_steps": round(float(slope) * 10_000, 2),
    }, ("torch",))  # fmt: skip


if __name__ == "__main__":
    main()

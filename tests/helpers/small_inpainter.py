"""Networks small enough for tests, and windows to train them on."""

import numpy as np
import torch

from stages.inpaint import trainer
from stages.inpaint.holes import Block, Drop, OneOf
from stages.inpaint.recipe import InpaintRecipe
from stages.inpaint.windows import Windows

SMALL = InpaintRecipe(
    network="ae_skip", size=64, dim=4, loss="mae", holes=("block",), dropout=0.2, optimizer="adam", batch=4, steps=8,
    every=2, patience=9, windows=4,
)  # fmt: skip
HOLES = OneOf([Block(), Drop()])


def windows(count=8, seed=0, camera=None):
    """Stripes of colour: what is hidden can be told from what is not, but a smooth filling misses it."""
    rng = np.random.default_rng(seed)
    stripes = (np.abs(np.arange(64) - 31.5) // 8 % 2)[:, None] * rng.uniform(40, 100, (count, 1, 1, 3))
    pixels = (stripes + rng.uniform(60, 120, (count, 1, 1, 3))).repeat(64, 1).astype(np.uint8)
    seen = np.ones((count, 64, 64), bool)
    if camera:
        seen = np.stack([~camera((64, 64), rng) for _ in range(count)])
    return Windows(pixels * seen[..., None], seen)


def train(folder, recipe=SMALL, seed=0, sources="here", of=None, **more):
    camera = HOLES if recipe.incomplete else None
    run = trainer.InpaintTraining(
        of or windows(camera=camera), windows(3, 9, camera), HOLES, recipe, seed, sources, folder, **more
    )
    return trainer.train(run, torch.device("cpu"))

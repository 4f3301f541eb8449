"""A GAN small enough for tests; its other numbers are the thesis's."""

import numpy as np

from stages.gan.recipe import GanRecipe

SMALL = GanRecipe(
    size=32, dim=4, z=8, loss="wgan", penalty="wgan-gp", penalty_weight=10.0, batch=4, steps=12, critic_steps=5,
    lr=2e-4, betas=(0.5, 0.999), epsilon=1e-7, precision="bf16", average=0.0, augment=(), processes=1,
)  # fmt: skip


def pictures(count=3, size=32, seed=0):
    """Blobs of colour: something to learn, and all different."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 4, 4, 3), np.uint8)
    return coarse.repeat(size // 4, 1).repeat(size // 4, 2)

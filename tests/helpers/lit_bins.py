"""Images of a bin with a slope of grey, each in another light, and one bright object in each."""

import numpy as np

from stages.extract.cutouts import SegmentedImage

SHAPE = (60, 100)


def scene(spot, seed=0, light=1.0):
    """A bin with a slope of grey and one bright object."""
    rng = np.random.default_rng(seed)
    grey = np.linspace(60, 120, SHAPE[1])[None, :, None] + rng.normal(0, 2, (*SHAPE, 3))
    mask = np.zeros(SHAPE, bool)
    mask[spot[1] : spot[1] + 14, spot[0] : spot[0] + 14] = True
    grey[mask] = 230
    return SegmentedImage(f"{seed}.png", (grey * light).clip(0, 255).astype(np.uint8), mask[None], [1], ["mask"])


SCENES = [scene((10 + 16 * k, 8 + 6 * k), k, 0.9 + 0.05 * k) for k in range(5)]
BARE = np.linspace(60, 120, SHAPE[1])[None, :, None]

"""Cut-outs to place."""

import numpy as np

from stages.extract.placeable import CutOut

SHAPE = (90, 160)


def unit(objects=1, w=20, h=10):
    masks = np.zeros((objects, h, w), bool)
    for k in range(objects):
        masks[k, :, k * w // objects : (k + 1) * w // objects] = True
    return CutOut("a.png", np.full((h, w, 3), 1.0, np.float32), masks, (1,) * objects, ("mask",) * objects)

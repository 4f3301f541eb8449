"""Images of bars that lie on each other."""

import numpy as np

from stages.extract.cutouts import SegmentedImage

SHAPE = (120, 160)


def scene(*visible):
    masks = np.array(visible, bool).reshape(-1, *SHAPE)
    return SegmentedImage("a.png", np.zeros((*SHAPE, 3), np.uint8), masks, [1] * len(masks), ["mask"] * len(masks))


def bar(x, y, w, h):
    mask = np.zeros(SHAPE, bool)
    mask[y : y + h, x : x + w] = True
    return mask


LYING, UPRIGHT = bar(30, 50, 80, 16), bar(60, 20, 16, 80)
USUAL = {1: 80 * 16}

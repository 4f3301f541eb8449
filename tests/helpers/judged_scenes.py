"""Images of a grey bin with bright objects, as the judge's training images are read."""

import numpy as np

from stages.judge.reference import Reference

SIZE = 64


def scene(boxes, seed=0, grey=90):
    """A grey bin with bright objects; boxes in pixels: x, y, width, height."""
    rng = np.random.default_rng(seed)
    pixels = (grey + rng.normal(0, 2, (SIZE, SIZE, 3))).round().astype(np.uint8)
    masks = np.zeros((len(boxes), SIZE, SIZE), bool)
    for mask, (x, y, w, h) in zip(masks, boxes, strict=True):
        mask[y : y + h, x : x + w] = True
        pixels[mask] = (230, 240, 235)
    return pixels, np.array(boxes, float).reshape(-1, 4) / SIZE, masks


def reference(*scenes):
    pixels, boxes, masks = zip(*scenes, strict=True)
    names = [f"{k}.png" for k in range(len(scenes))]
    classes = [np.ones(len(b), int) for b in boxes]
    return Reference(names, np.stack(pixels), list(boxes), classes, list(masks), (640, 360))


def several(count=8):
    """Images with two objects each, in some of five places, each with another exposure."""
    rng = np.random.default_rng(3)
    spots = [(6, 8), (38, 10), (8, 40), (40, 40), (24, 26)]
    return reference(*(
        scene([(*spots[k], 6, 16) for k in rng.permutation(5)[:2]], seed, 80 + 3 * seed) for seed in range(count)
    ))  # fmt: skip

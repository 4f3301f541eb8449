"""Annotations of squares."""

WIDTH, HEIGHT = 80, 60


def square(x, y, side=12):
    return {"bbox": [x, y, side, side], "segmentation": [[x, y, x + side, y, x + side, y + side, x, y + side]]}

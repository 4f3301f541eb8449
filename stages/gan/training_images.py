"""Folders of images and annotations as what a GAN trains on: squares of one size."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages import progress
from stages.dataset import coco, photo


@dataclass(frozen=True)
class Pictures:
    pixels: np.ndarray  # (n, size, size, 3) uint8: whole frames, squashed
    frame: tuple[int, int]  # width and height that most of them have, to which what is generated is stretched again


def load(folders: list[Path], size: int) -> Pictures:
    """Return all images of some folders (images/ and annotations.json each), in the order of their annotation files."""
    listed = [
        (folder / "images" / image.file_name, image)
        for folder in folders
        for image in coco.read(folder / "annotations.json").images
    ]
    squares, sizes = [], Counter()
    for path, image in progress.bar(listed, what="reading pictures", unit="picture"):
        pixels = photo.load(path, image.width, image.height)
        squares.append(photo.squashed(pixels, size))
        sizes[image.width, image.height] += 1
    return Pictures(np.stack(squares), sizes.most_common(1)[0][0])

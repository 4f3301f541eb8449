"""Change whole images of a subset (data/candidates/<composition>): turned, shifted and recoloured by albumentations.

The plain alternative to new pictures. annotations.json holds box and mask of every object that is still seen; each
candidate can be made again from its row of manifest.csv alone.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from stages import command, settings
from stages.compose import candidates
from stages.compose.candidates import Made, Row
from stages.extract import cutouts
from stages.extract.cutouts import SegmentedImage
from stages.settings import Composition

if TYPE_CHECKING:
    import albumentations as A  # noqa: N812

SEEN = 0.25  # share of an object that must stay visible for it to count


def rows(name: str, asked: Composition, subset: Path, count: int, seed: int) -> list[Row]:
    """Return a row for each candidate: the subset's images in turn."""
    return [
        candidates.numbered(name, asked, subset, number, settings.candidate_seed(seed, number))
        for number in range(count)
    ]


def make(row: Row) -> Made:
    """Return the candidate that a row of the manifest speaks of."""
    found, seed = _scenes(candidates.subset_of(row)), int(row["seed"])
    return change(found[seed % len(found)], seed)


@lru_cache(maxsize=2)
def _scenes(subset: Path) -> list[SegmentedImage]:
    return cutouts.scenes(subset)[0]


def pipeline(seed: int) -> A.Compose:
    """Return albumentations' moderate changes, all of which a camera over a bin could see."""
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # else it asks the package index for a newer version
    import albumentations as A  # noqa: N812 (its own custom); it imports torch, which takes seconds

    return A.Compose([
        A.HorizontalFlip(p=0.5),
        A.VerticalFlip(p=0.5),
        A.Affine(scale=(0.9, 1.1), translate_percent=(-0.06, 0.06), rotate=(-10, 10), p=0.9,
                 border_mode=cv2.BORDER_REPLICATE),
        A.RandomBrightnessContrast(0.2, 0.15, p=0.8),
        A.HueSaturationValue(4, 15, 8, p=0.5),
        A.GaussianBlur(blur_limit=(3, 3), p=0.2),
        A.GaussNoise(std_range=(0.005, 0.02), p=0.3),
    ], seed=seed)  # fmt: skip


def change(scene: SegmentedImage, seed: int) -> tuple[np.ndarray, list[tuple[int, np.ndarray]]]:
    """Return an image changed, and category and mask of each object that is still seen well enough."""
    height, width = scene.pixels.shape[:2]
    masks = list(scene.masks.astype(np.uint8)) or [np.zeros((height, width), np.uint8)]
    made = pipeline(seed)(image=scene.pixels, masks=masks)
    kept = []
    for category, before, after in zip(scene.categories, scene.masks, made["masks"], strict=False):
        if after.any() and after.sum() >= SEEN * before.sum():
            kept.append((category, after.astype(bool)))
    return made["image"], kept


if __name__ == "__main__":
    command.run(
        lambda composition: candidates.compose(composition, rows, make),
        __doc__, composition="which of params.yaml's compositions",
    )  # fmt: skip

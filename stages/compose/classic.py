"""Whole images turned, shifted and recoloured by albumentations: the plain alternative to new pictures."""

from __future__ import annotations

import albumentations as A  # noqa: N812 (its own custom)
import cv2
import numpy as np

from stages.compose.layout import SEEN
from stages.extract.cutouts import SegmentedImage


def pipeline(seed: int) -> A.Compose:
    """Moderate changes, all of which a camera over a bin could see."""
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
    """The image changed, and category and mask of each object that is still seen well enough."""
    height, width = scene.pixels.shape[:2]
    masks = list(scene.masks.astype(np.uint8)) or [np.zeros((height, width), np.uint8)]
    made = pipeline(seed)(image=scene.pixels, masks=masks)
    kept = []
    for category, before, after in zip(scene.categories, scene.masks, made["masks"], strict=False):
        if after.any() and after.sum() >= SEEN * before.sum():
            kept.append((category, after.astype(bool)))
    return made["image"], kept

"""How photographs of one station differ from each other: in light, noise and sharpness. Measured, to be drawn anew."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from stages.extract import empty_bin
from stages.extract.cutouts import SegmentedImage

WIDTHS = (0.0, *np.linspace(0.4, 2.0, 17).tolist())  # standard deviations in pixels of the blurs that are told apart
# Second differences across and down: blind to slopes of light, and on noise alone six times as large as it.
LAPLACE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


@dataclass(frozen=True)
class Appearance:
    """How one photograph looks beside the others of its station."""

    light: np.ndarray  # (3,) share of the usual light
    noise: float  # standard deviation of a pixel, in grey levels
    blur: float  # standard deviation in pixels of the blur that makes the sharpest of them as soft


def of(found: list[SegmentedImage]) -> list[Appearance]:
    """Return the looks of photographs, those of each size beside each other."""
    looks: dict[int, Appearance] = {}
    for shape in {scene.pixels.shape for scene in found}:
        numbers = [k for k, scene in enumerate(found) if scene.pixels.shape == shape]
        lights = np.array([empty_bin.light(found[k]) for k in numbers])
        greys = [cv2.cvtColor(found[k].pixels, cv2.COLOR_RGB2GRAY).astype(np.float32) for k in numbers]
        noises = [noise(grey) for grey in greys]
        details = [_detail(grey) for grey in greys]
        sharpest = greys[int(np.argmax(details))]
        softened = [_detail(cv2.GaussianBlur(sharpest, (0, 0), width) if width else sharpest) for width in WIDTHS]
        for k, light, grain, detail in zip(numbers, lights / np.median(lights, axis=0), noises, details, strict=True):
            looks[k] = Appearance(light, grain, float(np.interp(-detail, -np.array(softened), WIDTHS)))
    return [looks[k] for k in range(len(found))]


def noise(grey: np.ndarray) -> float:
    """Return the standard deviation of the noise of a picture's pixels: of what no neighbour explains."""
    residue = np.abs(cv2.filter2D(grey, -1, LAPLACE))[1:-1, 1:-1]
    return float(np.median(residue) / 0.6745 / 6)


def _detail(grey: np.ndarray) -> float:
    """Return how sharp the sharpest edges of a picture are, whatever its light."""
    smooth = cv2.GaussianBlur(grey, (0, 0), 0.7)  # noise is no edge
    dx, dy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    return float(np.percentile(np.hypot(dx, dy), 99) / max(float(grey.mean()), 1.0))

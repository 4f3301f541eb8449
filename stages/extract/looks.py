"""How photographs of one station differ from each other: in light, noise and sharpness. Measured, to be drawn anew."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from stages.extract import empty_bin
from stages.extract.cutouts import SegmentedImage

FINE, COARSE = 0.7, 1.0  # pixels over which a photograph is smoothed, to see how much of its edges each leaves
EDGES = 99.5  # percentile of slopes, above which they are edges
SHARP = 5  # percentile of photographs that are taken for sharp ones: the sharpest of all is a slip of measuring
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
        softnesses = np.array([_softness(grey) for grey in greys])
        blurs = np.sqrt((softnesses - np.percentile(softnesses, SHARP)).clip(0))
        for k, light, grey, blur in zip(numbers, lights / np.median(lights, axis=0), greys, blurs, strict=True):
            looks[k] = Appearance(light, noise(grey), float(blur))
    return [looks[k] for k in range(len(found))]


def noise(grey: np.ndarray) -> float:
    """Return the standard deviation of the noise of a picture's pixels: of what no neighbour explains."""
    residue = np.abs(cv2.filter2D(grey, -1, LAPLACE))[1:-1, 1:-1]
    return float(np.median(residue) / 0.6745 / 6)


def _softness(grey: np.ndarray) -> float:
    """Return the variance, in square pixels, of what makes a picture's sharpest edges soft, whatever they show.

    Smoothing takes the less of a slope, the softer it is.
    """
    slopes, smoother = _slopes(grey, FINE), _slopes(grey, COARSE)
    ridges = (slopes >= cv2.dilate(slopes, np.ones((3, 3)))) & (slopes >= np.percentile(slopes, EDGES)) & (slopes > 0)
    if not ridges.any():
        return 0.0
    left = min(float(np.median(smoother[ridges] / slopes[ridges])) ** 2, 0.99)
    return max(0.0, (left * COARSE**2 - FINE**2) / (1 - left))


def _slopes(grey: np.ndarray, smooth: float) -> np.ndarray:
    smoothed = cv2.GaussianBlur(grey, (0, 0), smooth)
    return np.hypot(cv2.Sobel(smoothed, cv2.CV_32F, 1, 0), cv2.Sobel(smoothed, cv2.CV_32F, 0, 1))

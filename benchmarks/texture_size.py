"""How long a texture of 4096×4096 pixels takes, and how much memory, beside smaller ones; and whether it has seams.

Each size is painted by a process of its own, whose peak memory is told apart from what it has before it begins. The
largest is painted once more, in windows of another size: where windows leave a seam, the two differ. The weights are
random: neither time nor memory depends on them.
"""

from __future__ import annotations

import hashlib
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import torch

from benchmarks.conditions import record
from stages import settings
from stages.texture.networks import SpatialGenerator, field
from stages.texture.paint import WINDOW, exact, woven
from stages.texture.recipe import CELL, noise_length

SIDES = (512, 2048, 4096)
OTHER_WINDOW = 11


def main() -> None:
    figures: dict[str, float | bool] = {}
    picture = ""
    for side in SIDES:
        figures[f"{side}_seconds"], figures[f"{side}_mb"], picture = alone(side, WINDOW)
    figures["largest_picture_mb"] = round(SIDES[-1] ** 2 * 3 / 1e6)
    figures["seamless"] = alone(SIDES[-1], OTHER_WINDOW)[2] == picture
    record("texture_size", figures, ("numpy", "torch"))


def alone(side: int, window: int) -> tuple[float, int, str]:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(painted, side, window).result()


def painted(side: int, window: int) -> tuple[float, int, str]:
    """Seconds, MB above what there was before, and the picture's fingerprint."""
    scale = settings.load().scales["demo"].texture
    torch.manual_seed(0)
    network = SpatialGenerator(scale.size, noise_length(scale.size, scale.depth), scale.dim)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    exact(network)
    before, began = peak(), time.perf_counter()
    picture = woven(network, field(network.z, side // CELL, side // CELL, 0, False), window)
    return round(time.perf_counter() - began, 1), round(peak() - before), hashlib.sha256(picture.tobytes()).hexdigest()


def peak() -> float:
    """The most memory that this process has held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    main()

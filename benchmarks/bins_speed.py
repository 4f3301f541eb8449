"""How many photographs of 640×360 the bins world draws a second on one core (at least 10 are wanted)."""

from __future__ import annotations

import os
import time

import cv2

from benchmarks.conditions import record
from stages.dataset.bins import world
from stages.dataset.bins.catalog import GROUPS

WARM, COUNTED = 2, 12  # photographs of each group


def main() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    seconds = 0.0
    for number in range(WARM + COUNTED):
        for group in GROUPS:
            started = time.perf_counter()
            _, picture, _ = world.render(world.Photograph(group, number, 1 + number % 6, False), 640, 360, seed=0)
            cv2.imencode(".png", picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
            seconds += (time.perf_counter() - started) * (number >= WARM)
    photographs = COUNTED * len(GROUPS)
    record(
        "bins_speed",
        {"photographs": photographs, "photographs_per_second_one_core": round(photographs / seconds, 1)},
        ("numpy", "opencv-python-headless"),
    )


if __name__ == "__main__":
    main()

"""A detector's training step in bf16 beside one in full precision, alternating in one run; and whether mAP holds.

Speed: whole trainings, with all that ultralytics does between steps, on one thread. mAP: of the same photographs of
`other` and the same seeds in both ways, on images that nothing was trained on.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from benchmarks import choose, conditions
from stages import command, paths, settings
from stages.dataset import coco
from stages.dataset import subset as subsets
from stages.detector import metrics
from stages.evidence import arm, held_out, remade_arm, statistics
from stages.evidence.remade_arm import Photographs
from stages.evidence.statistics import Sampling, Scores
from stages.settings import Settings, Subset
from stages.training import parallel

WAYS: tuple[Literal["bf16", "fp32"], ...] = ("bf16", "fp32")
ROUNDS, SPEED_STEPS = 3, 100
SEEDS, STEPS = 4, 400
WORK = paths.CHECKPOINTS / "detector_speed"


def main() -> None:
    params = settings.load()
    own, _ = choose.prepared(params, WORK)
    with parallel.trainings(1) as pool:  # alone on the machine, with one thread
        spent: dict[str, list[float]] = {}
        for turn in range(ROUNDS):
            for size in (128, 192):
                for way in WAYS:
                    took = pool.submit(seconds, own, way, size, turn, params).result()
                    spent.setdefault(f"{size} px, {way}", []).append(took)
    figures: dict = {name: f"{SPEED_STEPS / np.median(of):.2f} steps a second" for name, of in spent.items()}
    for size in (128, 192):
        fast, slow = (np.median(spent[f"{size} px, {way}"]) for way in WAYS)
        figures[f"{size} px, bf16 against fp32"] = round(float(slow / fast), 2)
    with parallel.trainings(SEEDS) as pool:
        found = np.array(list(pool.map(scores, *zip(*((own, seed, params) for seed in range(SEEDS)), strict=True))))
        runs = dict(zip(WAYS, found.T, strict=True))
    one, other = (Scores(of, np.tile(of[:, None], 2)) for of in runs.values())
    apart = statistics.difference([one], [other], Sampling(10_000, 0, statistics.spread([[one], [other]])))
    figures |= {f"mAP50-95, {way}": of.round(4).tolist() for way, of in runs.items()}
    figures["mAP50-95, bf16 against fp32"] = f"{apart.value:+.4f} ({apart.low:+.4f} to {apart.high:+.4f})"
    conditions.record("detector_speed", figures, ("torch", "ultralytics-opencv-headless"))
    shutil.rmtree(WORK)


def seconds(own: Path, way: str, size: int, turn: int, params: Settings) -> float:
    """Return how long some steps take, without what comes before the first."""
    times = []
    for steps in (arm.BATCHES, arm.BATCHES + SPEED_STEPS):
        began = time.perf_counter()
        trained(own, way, size, steps, turn, params, WORK / f"{way}_{size}")
        times.append(time.perf_counter() - began)
    return times[1] - times[0]


def scores(own: Path, seed: int, params: Settings) -> list[float]:
    """Return what detectors reach that were trained in both ways: one after the other, as their settings, by which
    checkpoints are known, are the same."""
    held, found = choose.test(params, params.now.study.imgsz), []
    for way in WAYS:
        weights = trained(own, way, params.now.study.imgsz, STEPS, seed, params, WORK / f"{way}_{seed}")
        found.append(metrics.coco_map(held_out.seen(held, weights), held.classes)[1])
    return found


def trained(own: Path, way: str, size: int, steps: int, seed: int, params: Settings, place: Path) -> Path:
    """Train on ten photographs, in bf16 or in full precision; return the weights."""
    from stages.detector import trainer

    trainer.fast_in_bf16 = lambda: way == "bf16"
    how = msgspec.structs.replace(params.now.study, imgsz=size, crop=0, steps=steps)  # whole pictures
    every = coco.read(own / "annotations.json")
    rule = Subset(group="other", count=choose.COUNT, prefer="random", fewer=False)
    ids = [id_ for id_, _ in subsets.pick(every, rule, seed, "other")]
    some = remade_arm.some(every, ids, own / "images", place / str(seed) / "own")
    asked = params.arms["ten_standard"]
    return remade_arm.train(asked, Photographs(some), how, seed, place, f"{way}, {size}", params).weights


if __name__ == "__main__":
    command.run(main, __doc__)

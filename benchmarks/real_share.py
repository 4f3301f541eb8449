"""Choose how much of an epoch the real images are when there are fakes too, on `other`: never on the product they test.

Trains on other_ten and the accepted candidates of paste_other, and scores mAP50-95 on other's validation images.
"""

from __future__ import annotations

import shutil

import numpy as np

from benchmarks import conditions
from stages import command, paths, settings
from stages.detector import metrics, model
from stages.evidence import arm, held_out, mix

SHARES = (1.0, 0.7, 0.4, 0.1)
SEEDS = 2


def main() -> None:
    params = settings.load()
    how = params.now.evidence
    real, fakes = paths.SUBSETS / "other_ten", paths.ACCEPTED / "paste_other"
    rule = arm.detector(params, how, "standard", None)
    data = paths.CHECKPOINTS / "real_share"
    held = held_out.of([params.products.other], params, how.imgsz, "val")
    found = {}
    for share in SHARES:
        parts = [mix.Part([real], share), *([mix.Part([fakes], 1 - share)] if share < 1 else [])]
        counts = mix.write(parts, data, how.imgsz, min(arm.BATCHES, how.steps) * how.batch, params.seed)
        scores = []
        for seed in range(SEEDS):
            trained = model.train(data, rule, params.seed + seed, paths.CHECKPOINTS, f"real {share}, seed {seed}")
            scores.append(metrics.coco_map(held_out.sit(held, trained.last), held.classes)[1])
            model.forget(trained)
        found[f"real share {share}: mAP50-95"] = round(float(np.mean(scores)), 4)
        found[f"real share {share}: of each seed"] = [round(score, 4) for score in scores]
        found[f"real share {share}: images"] = counts
        print(f"real share {share}: {np.mean(scores):.3f}", flush=True)
    shutil.rmtree(data)
    figures = {"images": len(held.pictures), "steps": how.steps, "batch": how.batch, "pixels": how.imgsz}
    conditions.record("real_share", figures | found, ("torch", "ultralytics-opencv-headless"))


if __name__ == "__main__":
    command.run(main, __doc__)

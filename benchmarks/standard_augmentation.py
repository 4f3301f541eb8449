"""Choose the standard augmentation and the arms' size of training, on the product `other`: never on the one they test.

Trains on other_ten and scores mAP50-95 on other's validation images, which no arm is tested on.
"""

from __future__ import annotations

import shutil

import msgspec
import numpy as np

from benchmarks import conditions
from stages import command, paths, settings
from stages.detector import metrics, model
from stages.evidence import arm, held_out, mix

# What is changed of params.yaml's evidence.plain, one after the other.
TRIED = {
    "plain": {},
    "flips": {"fliplr": 0.5, "flipud": 0.5},
    "flips, shift, scale": {"fliplr": 0.5, "flipud": 0.5, "translate": 0.05, "scale": 0.1},
    "… and colour": {"fliplr": 0.5, "flipud": 0.5, "translate": 0.05, "scale": 0.1,
                     "hsv_h": 0.015, "hsv_s": 0.4, "hsv_v": 0.3},
    "… and wider scale, shift": {"fliplr": 0.5, "flipud": 0.5, "translate": 0.15, "scale": 0.3,
                                 "hsv_h": 0.015, "hsv_s": 0.4, "hsv_v": 0.3},
    "… and rotation": {"fliplr": 0.5, "flipud": 0.5, "translate": 0.05, "scale": 0.1, "degrees": 180,
                       "hsv_h": 0.015, "hsv_s": 0.4, "hsv_v": 0.3},
    "… and mosaic": {"fliplr": 0.5, "flipud": 0.5, "translate": 0.05, "scale": 0.1, "mosaic": 0.5,
                     "hsv_h": 0.015, "hsv_s": 0.4, "hsv_v": 0.3},
}  # fmt: skip
SEEDS = 2


def main() -> None:
    params = settings.load()
    how, part = params.now.evidence, [mix.Part([paths.SUBSETS / "other_ten"], 1.0)]
    data = paths.CHECKPOINTS / "standard_augmentation"
    mix.write(part, data, how.imgsz, min(arm.BATCHES, how.steps) * how.batch, params.seed)
    held = held_out.of([params.products.other], params, how.imgsz, "val")
    found = {}
    for name, changes in TRIED.items():
        rule = arm.detector(params, how, "plain", None)
        rule = msgspec.structs.replace(rule, augment=msgspec.structs.replace(rule.augment, **changes))
        scores = []
        for seed in range(SEEDS):
            trained = model.train(data, rule, params.seed + seed, paths.CHECKPOINTS, f"{name}, seed {seed}")
            scores.append(metrics.coco_map(held_out.sit(held, trained.last), held.classes))
            model.forget(trained)
        map50, map50_95 = np.mean(scores, 0)
        found[f"{name}: mAP50"] = round(float(map50), 4)
        found[f"{name}: mAP50-95"] = round(float(map50_95), 4)
        found[f"{name}: of each seed"] = [round(score, 4) for _, score in scores]
        print(f"{name}: {map50_95:.3f}")
    shutil.rmtree(data)
    figures = {"images": len(held.pictures), "steps": how.steps, "batch": how.batch, "pixels": how.imgsz}
    conditions.record("standard_augmentation", figures | found, ("torch", "ultralytics-opencv-headless"))


if __name__ == "__main__":
    command.run(main, __doc__)

"""Compare the four arms that say whether the fakes help, with one seed and few steps: indicative at best.

Weights stay in the checkpoints folder, so a killed run goes on where it was, and one of the same data and settings says
the same at once. Results, with their conditions, go to reports/first_look.json; the detector that learnt from composed
pictures, too, to models/first_look.pt.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from stages import command, files, paths, settings
from stages.dataset import coco
from stages.evidence import arm, compare, lineage, seed_spread
from stages.settings import Arm, Compared, Settings
from stages.training import parallel

ASKED = ("ten", "ten_standard", "paste", "all")
STEPS = 300
TRIED = "paste"
DETECTOR = Path("models/first_look.pt")
RESULT = paths.REPORTS / "first_look.json"


def main() -> None:
    params = settings.load()
    how = msgspec.structs.replace(params.now.evidence, seeds=1, steps=min(STEPS, params.now.evidence.steps))
    arms = {name: settings.named(name, params.arms) for name in ASKED}
    dataset = coco.read(paths.ANNOTATIONS)
    for name, one in arms.items():
        lineage.check(name, one, params, dataset)
    with parallel.trainings(len(arms)) as pool:
        jobs = {name: pool.submit(trained, name, one, params, how) for name, one in arms.items()}
        weights = {name: job.result() for name, job in jobs.items()}
    results = compare.compare(weights, arms, "focus", params, how, seed_spread.from_study())
    for name in arms:
        results["arms"][name]["run"] = files.read_json(weights[name][0].parent / "run.json")
    conditions = {"scale": params.scale, **msgspec.to_builtins(how), "model": params.now.detector.model}
    files.write(DETECTOR, weights[TRIED][0].read_bytes())
    files.write_json(RESULT, files.rounded({"conditions": conditions, "focus": results}))


def trained(name: str, one: Arm, params: Settings, how: Compared) -> list[Path]:
    """Return one arm's detectors, trained now unless an earlier run of the same data and settings left them."""
    inputs = [paths.SUBSETS / one.subset, *lineage.fakes(one, params)]
    inputs += [folder for of in (one.known, one.start) if (folder := settings.named_folder(of))]
    mark = files.fingerprint(*inputs, *(msgspec.to_builtins(of) for of in (one, how, params.evidence, params.seed)),
                             msgspec.to_builtins(params.augmentations[one.augment]),
                             msgspec.to_builtins(params.now.detector))  # fmt: skip
    folder = paths.CHECKPOINTS / "first_look" / mark / name
    if not (folder / "run.json").exists():
        with files.replacing(folder) as into:
            arm.train(name, one, params, how, into)
    return sorted(folder.glob("*.pt"))


if __name__ == "__main__":
    command.run(main, __doc__)

"""Train one arm's detectors, one for each seed (models/detector/<product>/<arm>/<seed>.pt).

All arms take the same number of steps from the same start with the same settings; only their data differ. A killed run
goes on where it was; seeds that are done are not trained again.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from msgspec import to_builtins

from stages import command, files, left_out, paths, settings
from stages.detector import model
from stages.evidence import lineage, mix
from stages.evidence.mix import Part
from stages.settings import Arm, Compared, Detector, Evidence, Settings
from stages.training import parallel

SKIPPED = "params.yaml says to skip it"
BATCHES = 50  # of an epoch, at least: ultralytics spends as long as some steps between two epochs


def main(arm: str) -> None:
    params = settings.load()
    asked, how = settings.named(arm, params.arms), params.now.evidence
    if asked.skip:
        print(f"left out: {SKIPPED}")
        with files.replacing(paths.DETECTORS / asked.product / arm) as folder:
            left_out.note(folder, SKIPPED)
        return
    with files.replacing(paths.DETECTORS / asked.product / arm) as folder:
        seconds = train(arm, asked, params, how, folder)
    files.write_json(paths.TIMING / "arms" / f"{arm}.json", {"seconds": round(seconds, 1)})


def train(name: str, arm: Arm, params: Settings, how: Compared, into: Path) -> float:
    """Train with every seed, as many at a time as the machine has cores; weights and what they were trained on go into
    a folder. Return how many seconds the trainings took, added up."""
    work = paths.CHECKPOINTS / "evidence" / params.scale / name
    labelled, known, start = (settings.named_folder(of) for of in (arm.labelled, arm.known, arm.start))
    made_of = parts(
        paths.SUBSETS / arm.subset, labelled, lineage.fakes(arm, params), arm.ratio, known, params.evidence
    )  # fmt: skip
    rule = detector(params, how, arm.augment, start)
    counts = mix.write(made_of, work / "data", how.imgsz, rule.drawn, params.seed)
    done = work / files.fingerprint(work / "data", to_builtins(rule))
    with parallel.trainings(how.seeds) as pool:
        jobs = [
            pool.submit(one, work / "data", rule, params.seed + seed, done / f"{seed}.pt",
                        f"arm {name}, seed {seed + 1} of {how.seeds}")
            for seed in range(how.seeds)
        ]  # fmt: skip
        total = sum(job.result() for job in jobs)
    for seed in range(how.seeds):
        files.write(into / f"{seed}.pt", (done / f"{seed}.pt").read_bytes())
    files.write_json(into / "run.json", {
        "arm": to_builtins(arm), "images": counts, "steps": rule.epochs * rule.drawn // how.batch, "batch": how.batch,
        "imgsz": how.imgsz, "seeds": [params.seed + seed for seed in range(how.seeds)],
    })  # fmt: skip
    shutil.rmtree(work)
    return total


def one(data: Path, rule: Detector, seed: int, weights: Path, title: str) -> float:
    """Train one detector, unless its weights are there; return how many seconds it took."""
    facts = weights.with_suffix(".json")
    if not facts.exists():
        trained = model.train(data, rule, seed, paths.CHECKPOINTS, title)
        files.write(weights, trained.last.read_bytes())
        files.write_json(facts, trained.seconds)
        model.forget(trained)
    return files.read_json(facts)


def parts(
    real: Path, labelled: Path | None, fakes: list[Path], ratio: int, known: Path | None, rule: Evidence
) -> list[Part]:
    """Return what epochs are made of: real images, annotated and labelled ones alike, at most `ratio` fakes for each
    annotated one, and known products' images, if any. Of few fakes none is seen more often than a real image is."""
    count, made = _images(real), sum(map(_images, fakes))
    shown = count + (_images(labelled) if labelled else 0)
    own = 1 - (rule.known if known else 0.0)
    shown = max(rule.real, shown / max(1, shown + min(made, ratio * count))) if fakes else 1.0
    return [
        Part([real, *([labelled] if labelled else [])], own * shown),
        *([Part(fakes, own * (1 - shown), ratio * count)] if fakes else []),
        *([Part([known], 1 - own)] if known else []),
    ]


def _images(folder: Path) -> int:
    return len(files.read_json(folder / "annotations.json")["images"])


def detector(params: Settings, how: Compared, augment: str, start: Path | None) -> Detector:
    """Return the scale's detector, for a fixed number of steps; it goes on from the one in the folder `start`."""
    base, batches = params.now.detector, min(BATCHES, how.steps)
    weights = str(start / "last.pt") if start else base.weights
    lr = base.lr * (params.evidence.warm_lr if start else 1.0)
    return Detector(
        model=base.model, weights=weights, imgsz=how.imgsz, crop=how.crop, epochs=max(1, how.steps // batches),
        drawn=batches * how.batch, least_steps=0, batch=how.batch, lr=lr, validations=1,
        augment=params.augmentations[augment],
    )  # fmt: skip


if __name__ == "__main__":
    command.run(main, __doc__, arm="which of params.yaml's arms")

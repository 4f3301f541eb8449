"""Train the detector of all products but one (models/detector/<product>/known): what was there before it came."""

from __future__ import annotations

import shutil

import msgspec

from stages import command, files, paths, settings
from stages.detector import model
from stages.evidence import arm, lineage, mix


def main(product: str) -> None:
    params = settings.load()
    params.group(product)
    how = params.now.evidence
    how = msgspec.structs.replace(how, steps=params.evidence.known_steps * how.steps)
    subset = paths.SUBSETS / f"but_{product}"
    data = paths.CHECKPOINTS / "known" / params.scale / product
    mix.write([mix.Part([subset], 1.0)], data, how.imgsz, min(arm.BATCHES, how.steps) * how.batch, params.seed)
    rule = arm.detector(params, how, "standard", None)
    trained = model.train(data, rule, params.seed, paths.CHECKPOINTS, f"detector of all but {product}")
    with files.replacing(paths.DETECTORS / product / "known") as folder:
        shutil.copyfile(trained.last, folder / "last.pt")
        files.write_json(folder / "images.json", {"train": sorted(lineage.sources(subset))})
    model.forget(trained)
    shutil.rmtree(data)


if __name__ == "__main__":
    command.run(main, __doc__, product="focus or other")

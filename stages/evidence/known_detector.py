"""Train the detector of all products but one (models/detector/<product>/known): what was there before it came."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from stages import command, files, paths, settings
from stages.detector import model
from stages.evidence import arm, lineage, mix
from stages.settings import Compared, Settings


def main(product: str) -> None:
    params = settings.load()
    params.group(product)
    subset, data = paths.SUBSETS / f"but_{product}", paths.CHECKPOINTS / "known" / params.scale / product
    trained = train(subset, params.now.evidence, data, f"detector of all but {product}", params)
    with files.replacing(paths.DETECTORS / product / "known") as folder:
        shutil.copyfile(trained.last, folder / "last.pt")
        files.write_json(folder / "images.json", {"train": sorted(lineage.sources(subset))})
    model.forget(trained)
    shutil.rmtree(data)


def train(images: Path, how: Compared, data: Path, title: str, params: Settings) -> model.Trained:
    """Train a detector on the images of some products, several times as long as an arm; `data`: a folder to work in."""
    how = msgspec.structs.replace(how, steps=params.known_detector_steps(how))
    rule = arm.detector(params, how, "standard", None)
    mix.write([mix.Part([images], 1.0)], data, how.imgsz, rule.drawn, params.seed)
    return model.train(data, rule, params.seed, paths.CHECKPOINTS, title)


if __name__ == "__main__":
    command.run(main, __doc__, product="focus or other")

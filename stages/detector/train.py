"""Train the baseline detector on every product (models/detector/baseline/best.pt).

A killed run continues from the last state that it kept. Loss and mAP curves go to reports/plots/detector/.
"""

from __future__ import annotations

import shutil

import pandas as pd

from stages import command, files, paths, settings
from stages.detector import model
from stages.problem import Problem


def main(detector: str) -> None:
    if detector != "baseline":
        raise Problem(f"there is no detector {detector!r}; there is baseline")
    params = settings.load()
    trained = model.train(paths.YOLO, params.now.detector, params.seed, paths.CHECKPOINTS, f"detector {detector}")
    with files.replacing(paths.DETECTORS / detector) as folder:
        shutil.copyfile(trained.best, folder / "best.pt")
    curves = pd.DataFrame(trained.curves).to_csv(index=False, lineterminator="\n")
    files.write(paths.PLOTS / "detector" / f"{detector}.csv", curves)
    files.write_json(paths.TIMING / f"detector_{detector}.json", {"seconds": round(trained.seconds, 1)})
    model.forget(trained)


if __name__ == "__main__":
    command.run(main, __doc__, detector="which detector: baseline")

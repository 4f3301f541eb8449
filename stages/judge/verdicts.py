"""Judge all candidates of one experiment (data/verdicts/<experiment>.csv, and what the set is like as .json)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from stages import command, files, paths, settings
from stages.dataset import photo
from stages.detector import ask
from stages.judge import judging, reference, sets
from stages.judge.judging import Bench, Judged
from stages.judge.train import subset_of
from stages.judge.verdict import COLOURS
from stages.problem import Problem
from stages.settings import Settings


def main(experiment: str) -> None:
    params = settings.load()
    if experiment not in params.experiments:
        raise Problem(f"there is no experiment {experiment!r}; params.yaml has {', '.join(params.experiments)}")
    product = params.experiments[experiment].product
    manifest = pd.read_csv(paths.CANDIDATES / experiment / "manifest.csv", keep_default_na=False)
    if manifest.empty:
        raise Problem(f"{paths.CANDIDATES / experiment}: there are no candidates")
    size = params.now.gan.size
    pixels = candidates(paths.CANDIDATES / experiment, manifest["id"].tolist(), size)
    parents = dict.fromkeys(parent for row in manifest["parents"] for parent in row.split(";"))
    training = reference.read([Path(parent) for parent in parents], size)
    own = reference.read([paths.SUBSETS / subset_of(params, product)], size)
    weights = paths.DETECTORS / product / "judge" / "last.pt"
    by = judging.bench(paths.JUDGE / product, weights, training, own, params)
    judged = judging.judge(pixels, by, params)
    table = pd.DataFrame([row(id_, one, by) for id_, one in zip(manifest["id"], judged, strict=True)])
    files.write(paths.VERDICTS / f"{experiment}.csv", table.to_csv(index=False, lineterminator="\n"))
    files.write_json(paths.VERDICTS / f"{experiment}.json", summary(pixels, judged, by, params))


def candidates(folder: Path, names: list[str], size: int) -> np.ndarray:
    """The pictures of a manifest; one that cannot be read, or has another size, ends the stage with its name."""
    return np.stack([photo.load(folder / f"{name}.png", size, size) for name in names])


def row(id_: str, one: Judged, by: Bench) -> dict[str, object]:
    seen, evidence = one.seen, one.evidence
    return {
        "id": id_, "verdict": one.colour, "reason": one.reason, "nearest": evidence.nearest,
        "distance": round(evidence.distance, 5), "threshold": round(by.copy.distance, 5),
        "detections": len(seen.boxes), "partial": evidence.quality.partial, "faint": evidence.quality.faint,
        "min_confidence": round(float(seen.confidence.min()), 4) if len(seen.boxes) else "",
        "mean_confidence": round(float(seen.confidence.mean()), 4) if len(seen.boxes) else "",
        "trace": round(evidence.quality.trace, 4), "ghost": round(evidence.quality.ghost, 5),
        "manifold": round(evidence.manifold, 5),
        "arrangement_like": evidence.like, "arrangement": evidence.arrangement.says(),
    }  # fmt: skip


def summary(pixels: np.ndarray, judged: list[Judged], by: Bench, params: Settings) -> dict:
    """What the set is like."""
    colours = Counter(one.colour for one in judged)
    copied = Counter(one.evidence.nearest for one in judged if one.colour == "red")
    features = ask.features(by.weights, pixels, params.now.judge.imgsz)
    return {
        "candidates": len(judged),
        "colours": {
            colour: {"count": colours[colour], "share": round(colours[colour] / len(judged), 4),
                     "interval": [round(v, 4) for v in sets.interval(colours[colour], len(judged))]}
            for colour in COLOURS
        },
        "copy_distance": round(by.copy.distance, 5),
        "copies_caught": by.copy.caught,
        "training_images": len(by.training),
        "copied": dict(copied.most_common()),
        "distinct": sets.distinct(pixels, by.copy.distance, params.judge.shift),
        "figures": {
            f.name: {"value": None if f.value is None else round(f.value, 4), "means": f.means}
            for f in sets.figures(features, by.features, np.empty((0, features.shape[1])))
        },
    }  # fmt: skip


if __name__ == "__main__":
    command.run(main, __doc__, experiment="which of params.yaml's experiments")

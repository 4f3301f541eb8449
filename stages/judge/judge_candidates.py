"""Judge all candidates of one experiment (data/judged/<experiment>.csv, and what they are judged by as .json)."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from stages import command, files, paths, progress, settings, tables
from stages.judge import candidate_pictures, picture_judge, reference, set_metrics
from stages.judge.picture_judge import Judged, PictureJudge
from stages.problem import Problem

PART = 500  # candidates judged at a time, which bounds the memory
COMPARED = 2000  # candidates, at most, that are compared with each other to count distinct ones


def main(experiment: str) -> None:
    params = settings.load()
    asked = settings.named(experiment, params.all_experiments)
    manifest = candidate_pictures.listed(paths.CANDIDATES / experiment)
    if manifest.empty:
        raise Problem(f"{paths.CANDIDATES / experiment}: there are no candidates")
    if experiment not in params.judged:
        tables.write(paths.JUDGED / f"{experiment}.csv", unjudged(manifest))
        files.write_json(paths.JUDGED / f"{experiment}.json", {})
        return
    drawn = candidate_pictures.drawn(experiment, params)
    by = picture_judge.of(asked.product, reference.parents(manifest), drawn, params)
    rows, kept = [], []
    starts = range(0, len(manifest), PART)
    for start in progress.bar(starts, what=f"judging {experiment}", unit="part"):
        part = manifest.iloc[start : start + PART]
        pixels = candidate_pictures.load(paths.CANDIDATES / experiment, part, params.now.judge.size)
        judged = picture_judge.judge(pixels, by, params)
        rows += [row(id_, one, by) for id_, one in zip(part["id"], judged, strict=True)]
        kept = [*kept, *pixels][-COMPARED:]
    tables.write(paths.JUDGED / f"{experiment}.csv", pd.DataFrame(rows))
    pixels, last = np.stack(kept), (manifest["step"] == manifest["step"].max()).to_numpy()[-COMPARED:]
    distinct = set_metrics.distinct(pixels, by.copy.distance, params.judge.shift)
    of_last = distinct if last.all() else set_metrics.distinct(pixels[last], by.copy.distance, params.judge.shift)
    files.write_json(paths.JUDGED / f"{experiment}.json", {
        "copy_distance": round(by.copy.distance, 5), "copies_caught": by.copy.caught,
        "training_images": len(by.training),
        "distinct": distinct,  # of the last COMPARED at most
        "last": int(last.sum()),  # candidates of the last checkpoint …
        "distinct_last": of_last,  # … and how many of these are distinct
    })  # fmt: skip


def unjudged(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return the table of candidates that are copies by definition and green nevertheless: whole images changed."""
    table = pd.DataFrame({"id": manifest["id"], "verdict": "green", "reason": "a whole image changed: not judged"})
    blank = dict.fromkeys((
        "nearest", "distance", "threshold", "detections", "ghosts", "parts", "min_confidence", "mean_confidence",
        "manifold", "arrangement_like", "arrangement",
    ), "")  # fmt: skip
    return table.assign(**blank | {"mean_confidence": 1.0, "boxes": "[]"})


def row(id_: str, one: Judged, by: PictureJudge) -> dict[str, object]:
    evidence, found = one.evidence, one.evidence.quality
    sure = found.whole.confidence
    seen = zip(found.whole.boxes.tolist(), found.whole.classes.tolist(), sure.tolist(), strict=True)
    return {
        "id": id_, "verdict": one.colour, "reason": one.reason, "nearest": evidence.nearest,
        "distance": round(evidence.distance, 5), "threshold": round(by.copy.distance, 5),
        "detections": len(sure), "ghosts": found.ghosts, "parts": found.parts,
        "min_confidence": round(float(sure.min()), 4) if len(sure) else "",
        "mean_confidence": round(float(sure.mean()), 4) if len(sure) else "",
        "manifold": round(evidence.manifold, 5),
        "arrangement_like": evidence.like, "arrangement": evidence.arrangement.says(),
        "boxes": json.dumps([[*(round(v, 4) for v in box), number, round(c, 4)] for box, number, c in seen]),
    }  # fmt: skip


if __name__ == "__main__":
    command.run(main, __doc__, experiment="which of params.yaml's experiments or compositions")

"""Show every GAN's candidates to the detector of all products (reports/metrics/detect_fakes.json): the thesis's 4.5.

Nobody has counted the objects of a candidate. So `found` is how many the detector is sure enough of, and `certainty`
their mean confidence: of all candidates, and of the green ones, which are what the thesis showed to its detector.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stages import command, files, paths, settings, tables
from stages.dataset import photo
from stages.detector import predict
from stages.judge import candidate_pictures


def main() -> None:
    params = settings.load()
    weights, size = paths.DETECTORS / "baseline" / "best.pt", params.now.detector.imgsz
    figures: dict[str, float] = {}
    for name in params.experiments:
        if files.there(paths.VERDICTS / f"{name}.csv"):
            verdicts = tables.read(paths.VERDICTS / f"{name}.csv", "id", "verdict")
            manifest = candidate_pictures.listed(paths.CANDIDATES / name).set_index("id")
            frames = manifest.loc[verdicts["id"], ["frame_width", "frame_height"]].to_numpy().tolist()
            pictures = [paths.CANDIDATES / name / f"{id_}.png" for id_ in verdicts["id"]]
            sure = confidences(weights, pictures, frames, size, params.testing.confidence)
            green = [one for one, verdict in zip(sure, verdicts["verdict"], strict=True) if verdict == "green"]
            figures |= summary(name, sure) | summary(f"{name}_green", green)
    files.write_json(paths.METRICS / "detect_fakes.json", files.rounded(figures))


def confidences(
    weights: Path, pictures: list[Path], frames: list[tuple[int, int]], size: int, least: float
) -> list[np.ndarray]:
    """Return how sure a detector is of each object that it finds in each picture, shown in the photographs' shape."""
    shown = (photo.fit(photo.unsquashed(photo.read(p), f), size) for p, f in zip(pictures, frames, strict=True))
    seen = (of[:, 4] for of in predict.predict(weights, shown, size))
    return [sure[sure >= least] for sure in seen]


def summary(name: str, sure: list[np.ndarray]) -> dict[str, float]:
    """Return how many pictures there are, how many objects are found in them, and how surely."""
    found = np.concatenate([*sure, np.empty(0)])
    figures = {f"{name}_pictures": len(sure), f"{name}_found": len(found)}
    return figures | ({f"{name}_certainty": float(found.mean())} if len(found) else {})


if __name__ == "__main__":
    command.run(main, __doc__)

"""How far each experiment's objects lie and are turned from those of the images that it was made of.

For every object the training object whose middle is nearest, in any of the images: how far away it is, in shares of the
picture's width, and, where outlines are known, by how many degrees their main axes differ. Only candidates that the
judge calls green. Real photographs of the test split are measured in the same way, for comparison.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from benchmarks.conditions import record
from stages import files, paths, progress, settings
from stages.dataset import coco, segmentation
from stages.settings import Settings

ELSEWHERE = 0.03  # of the width: no object lies exactly where another did
TURNED = 15  # degrees


def main() -> None:
    params = settings.load()
    figures = {}
    for name, asked in progress.bar(list(params.judged.items()), what="measuring", unit="experiment"):
        if asked.product == "focus" and (paths.VERDICTS / f"{name}.csv").exists():
            known = lying(coco.read(paths.SUBSETS / asked.subset / "annotations.json"))
            if len(found := candidates(name)):
                figures |= {f"{name}_{key}": value for key, value in apart(found, known).items()}
    figures |= {f"real_{key}": value for key, value in apart(tested(params), known_to_judge(params)).items()}
    record("novelty", figures, ("numpy",))


def lying(dataset: coco.Coco) -> np.ndarray:
    """Return, for each object, x and y of its middle, in shares of the width, and its main axis in degrees, or nan."""
    sizes = {image.id: (image.width, image.height) for image in dataset.images}
    return np.array([placed(a, *sizes[a.image_id]) for a in dataset.annotations if not a.iscrowd]).reshape(-1, 3)


def placed(annotation: coco.Annotation, width: int, height: int) -> tuple[float, float, float]:
    x, y, w, h = annotation.bbox
    mask = segmentation.mask(annotation, width, height)
    angle = np.nan
    if mask is not None and mask.any():
        points = np.argwhere(mask)[:, ::-1].astype(float)
        _, axes = np.linalg.eigh(np.cov((points - points.mean(0)).T))
        angle = float(np.degrees(np.arctan2(axes[1, 1], axes[0, 1])) % 180)
    return (x + w / 2) / width, (y + h / 2) / width, angle


def candidates(name: str) -> np.ndarray:
    """The objects of an experiment's green candidates: as the generator placed them, else as the detector sees them."""
    said = pd.read_csv(paths.VERDICTS / f"{name}.csv", keep_default_na=False)
    green = said[said["verdict"] == "green"]
    exact = paths.CANDIDATES / name / "annotations.json"
    if exact.exists():
        dataset = coco.read(exact)
        chosen = set(green["id"])
        return lying(coco.subset(dataset, [i.id for i in dataset.images if i.file_name.removesuffix(".png") in chosen]))
    rows = pd.read_csv(paths.CANDIDATES / name / "manifest.csv", keep_default_na=False).set_index("id")
    aspect = float((rows["frame_height"] / rows["frame_width"]).iloc[0])
    boxes = [box for text in green["boxes"] for box in json.loads(text)]
    return np.array([(x + w / 2, (y + h / 2) * aspect, np.nan) for x, y, w, h, *_ in boxes]).reshape(-1, 3)


def tested(params: Settings) -> np.ndarray:
    dataset, test = coco.read(paths.ANNOTATIONS), set(files.read_json(paths.SPLIT)["test"])
    groups = coco.grouped(dataset, params.dataset.groups)
    return lying(coco.subset(dataset, [i.id for i in groups[params.group("focus")] if i.id in test]))


def known_to_judge(params: Settings) -> np.ndarray:
    return lying(coco.read(paths.SUBSETS / params.known_subset("focus") / "annotations.json"))


def apart(found: np.ndarray, known: np.ndarray) -> dict[str, float]:
    """From the nearest known object of each: how far on average, and the shares that lie elsewhere and are turned."""
    distance = np.hypot(*(found[:, None, :2] - known[None, :, :2]).transpose(2, 0, 1))
    nearest = distance.argmin(1)
    far, angle = distance.min(1), np.abs(found[:, 2] - known[nearest, 2])
    turned = np.minimum(angle, 180 - angle)
    figures = {"objects": len(found), "elsewhere": round(float((far > ELSEWHERE).mean()), 3)}
    if not np.isnan(turned).all():
        figures["turned"] = round(float((turned[~np.isnan(turned)] > TURNED).mean()), 3)
    return figures


if __name__ == "__main__":
    main()

"""How near a filled place comes to what truly lay there, and how often the object that is taken is truly the topmost.

On training images of the bins world's other products than the one in focus. Each product's ten images, chosen as the
subset `ten` is, are all that a filler may learn from; they are taken apart, the topmost object first, and every state
is compared with the same photograph drawn without these objects: PSNR and SSIM where the last one lay, on average.
Which is topmost is measured on all of their images. Beside the fillers that need no training stand all networks that
are trained: they saw these images, too, though not what lies under an object there.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import msgspec
import numpy as np
import pandas as pd
from pycocotools import mask as rle

from benchmarks.conditions import record
from stages import files, paths, progress, settings
from stages.boxes import overlaps
from stages.compose import deconstruct, floors
from stages.dataset import coco, subset
from stages.dataset.bins import world
from stages.dataset.bins.scene import Scene as Planned
from stages.dataset.bins.scene import coarse
from stages.detector import predict
from stages.extract import cutouts, occlusion
from stages.extract.cutouts import SegmentedImage
from stages.inpaint import classical
from stages.inpaint.classical import Filler
from stages.inpaint.fill import filler
from stages.problem import Problem
from stages.settings import Bins

ALIKE = 0.5  # overlap of an annotated object with the true one
OBJECT = 0.05  # share of a place where another object came to light: else it was the bin alone
LIES = 1  # cells of the world's coarse grid in which two objects must overlap for the one to lie on the other


@dataclass(frozen=True)
class Photo:
    """An image as annotated, and how the world draws it."""

    scene: SegmentedImage
    truth: dict  # its entry in truth.json
    true: list[int]  # of each annotated object the true one's place
    bins: Bins
    seed: int

    def drawn(self, gone: tuple[int, ...]) -> tuple[Planned, np.ndarray, np.ndarray]:
        """The photograph without some objects: what is planned, the picture, and whose each pixel is."""
        facts, bins, places = self.truth, self.bins, [self.true[k] for k in gone]
        wanted = world.Photograph(facts["group"], facts["number"], len(facts["objects"]), facts["testing"])
        return world.render(wanted, bins.width, bins.height, self.seed, places)

    def lies_on(self) -> np.ndarray:
        """(k, k) bool: whether the one object (row) truly lies on the other (column)."""
        planned, *_ = self.drawn(())
        aspect = self.bins.height / self.bins.width
        whole = [coarse(planned.objects[place], planned.light, aspect) for place in self.true]
        return np.array([
            [self.true[a] > self.true[b] and (whole[a] & whole[b]).sum() > LIES for b in range(len(whole))]
            for a in range(len(whole))
        ], bool)  # fmt: skip


def main() -> None:
    params = settings.load()
    photos = read(params)
    folders = [paths.INPAINTS / name for name in params.inpaints if (paths.INPAINTS / name / "run.json").exists()]
    learned = {folder.name: filler(folder) for folder in folders}
    told, rows = [], []
    for group, of in photos.items():
        few = tens(group, params)
        some = [photo for photo in of if photo.scene.name in few]
        scenes = [photo.scene for photo in some]
        usual = occlusion.usual_areas(scenes)
        sure = confidences(of, params.now.judge.imgsz)
        for photo, one in zip(progress.bar(of, what=f"{group}, order", unit="photo"), sure, strict=True):
            told.append(topmost(photo, usual, one))
        fills = {"median": floors.median(scenes), "telea": classical.telea, "ns": classical.navier_stokes, **learned}
        for photo in progress.bar(some, what=f"{group}, fillers", unit="photo"):
            rows += states(photo, usual, fills)
    table = pd.DataFrame(rows).groupby(["filler", "under"])[["psnr", "ssim"]].agg(["size", "mean"]).round(4)
    print(table.to_string())
    figures = {"images": sum(map(len, photos.values()))} | {
        key: round(float(np.concatenate([one[key] for one in told]).mean()), 4) for key in told[0]
    }
    for name, under, places, psnr, _, ssim in table.reset_index().to_numpy().tolist():
        figures |= {f"{name}_{under}_places": places, f"{name}_{under}_psnr": psnr, f"{name}_{under}_ssim": ssim}
    record("deconstruct", figures, ("numpy", "opencv-python-headless"))


def read(params: settings.Settings) -> dict[str, list[Photo]]:
    """The training images of the other products with their truth, by group; not the ones annotated wrongly."""
    if params.dataset.source != "bins":
        raise Problem("what lay under an object is known in the bins world alone; set dataset.source to bins")
    folder = paths.SUBSETS / "but_focus"
    truth = {facts["image_id"]: facts for facts in files.read_json(paths.SOURCE / "truth.json")["images"]}
    dataset = coco.read(folder / "annotations.json")
    photos: dict[str, list[Photo]] = {}
    for image, scene in zip(dataset.images, cutouts.scenes(folder)[0], strict=True):
        facts = truth[image.id]
        if (true := matched(scene, facts)) is not None:
            photos.setdefault(facts["group"], []).append(Photo(scene, facts, true, params.now.bins, params.seed))
    return photos


def matched(scene: SegmentedImage, facts: dict) -> list[int] | None:
    """Return the true object's place for each annotated one; None where one has none, or there are no objects."""
    size = list(scene.masks.shape[1:])
    visible = [rle.decode({"size": size, "counts": o["visible"]}).astype(bool) for o in facts["objects"]]
    places = []
    for mask in scene.masks:
        overlap = [(mask & of).sum() / max(1, (mask | of).sum()) for of in visible]
        if max(overlap) < ALIKE:
            return None
        places.append(int(np.argmax(overlap)))
    return places or None


def tens(group: str, params: settings.Settings) -> set[str]:
    """The names of a group's ten, chosen as the product in focus has its ten chosen."""
    dataset = coco.read(paths.SUBSETS / "but_focus" / "annotations.json")
    rule = msgspec.structs.replace(params.subsets["ten"], fewer=True)
    of = coco.subset(dataset, [i.id for i in coco.grouped(dataset, params.dataset.groups)[group]])
    names = {image.id: image.file_name for image in of.images}
    return {names[id_] for id_, _ in subset.pick(of, rule, params.seed, group)}


def topmost(photo: Photo, usual: dict[int, float], sure: list[float]) -> dict[str, list[bool]]:
    """Whether what is taken is free: first, second, … and the first alone; and of two, which lies on which."""
    true, told = photo.lies_on(), occlusion.over(photo.scene, usual)
    chance = np.random.default_rng(photo.truth["image_id"]).permutation(len(true)).tolist()
    outlines = deconstruct.topmost_first(photo.scene, usual)
    found = {
        key: [not true[list(taken[k + 1 :]), taken[k]].any() for k in range(len(taken) - 1)]
        for key, taken in (("topmost_right", outlines), ("topmost_right_by_chance", chance))
    }
    firsts = {"first_right": outlines[0], "first_right_by_confidence": int(np.argmax(sure))}
    found |= {key: [not true[:, first].any()] if len(true) > 1 else [] for key, first in firsts.items()}
    return found | {"pairs_right": told[true & (told | told.T)].tolist()}


def confidences(photos: list[Photo], imgsz: int) -> list[list[float]]:
    """How sure the judge's detector is of each object. It has trained on these images, as on those of a subset."""
    weights = paths.trained("focus", "judge")
    found = []
    for photo, seen in zip(photos, predict.predict(weights, [p.scene.pixels for p in photos], imgsz), strict=True):
        height, width = photo.scene.masks.shape[1:]
        boxes = np.array([cv2.boundingRect(mask.astype(np.uint8)) for mask in photo.scene.masks])
        same = overlaps(boxes / (width, height, width, height), seen[:, :4]) >= ALIKE
        found.append((same * seen[:, 4]).max(1, initial=0).tolist())
    return found


def states(photo: Photo, usual: dict[int, float], fills: dict[str, Filler]) -> list[dict[str, str | float]]:
    """Return what came to light under every object but the last, and PSNR and SSIM of its place by each filler."""
    gone, rows = deconstruct.topmost_first(photo.scene, usual)[:-1], []
    true = [photo.drawn(gone[: count + 1]) for count in range(len(gone))]
    for name, fill in fills.items():
        made = deconstruct.taken_apart(photo.scene, gone, fill)
        for k, (pixels, _), (_, picture, owner) in zip(gone, made, true, strict=True):
            place = photo.scene.masks[k]
            under = "object" if (owner > 0)[place].mean() > OBJECT else "bin"
            rows.append({"filler": name, "under": under, "psnr": psnr(pixels, picture, place),
                         "ssim": ssim(pixels, picture, place)})  # fmt: skip
    return rows


def psnr(made: np.ndarray, true: np.ndarray, place: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / ((made[place].astype(float) - true[place]) ** 2).mean().clip(1e-6)))


def ssim(made: np.ndarray, true: np.ndarray, place: np.ndarray) -> float:
    """Wang et al. 2004, on grey values, with its Gaussian window; the map's mean over the place."""
    a, b = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float64) for picture in (made, true))

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(values, (11, 11), 1.5)

    mean_a, mean_b = mean(a), mean(b)
    spread_a, spread_b, both = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2, mean(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    map_ = ((2 * mean_a * mean_b + c1) * (2 * both + c2)) / ((mean_a**2 + mean_b**2 + c1) * (spread_a + spread_b + c2))
    return float(map_[place].mean())


if __name__ == "__main__":
    main()

"""The whole world on disk: every group's photographs with annotations a person might have made, and the exact truth.

Beside it, for testing only: photographs of the same products at stations with another bin, light, or camera height.
"""

from __future__ import annotations

from collections.abc import Container
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from pycocotools import mask as rle

from stages import files, progress, provenance
from stages.dataset.bins import draw, scene
from stages.dataset.bins.catalog import (
    CATEGORIES,
    ENVIRONMENT,
    GROUPS,
    LONE_ENVIRONMENT,
    MISCLASSIFIED,
    OTHER_COUNTS,
    PRODUCTS,
    THESIS_COUNTS,
)
from stages.problem import Problem
from stages.settings import Bins

HAND = 0.0011  # standard deviation of an annotator's click, as a share of the width
CRUMB = 5e-5  # visible pieces smaller than this share of the picture are nothing that anybody would see


@dataclass(frozen=True)
class Photograph:
    """One photograph to take: what it shows, and where."""

    group: str
    number: int  # in its group, from 1
    count: int  # of objects
    testing: bool  # whether it is for testing only
    station: str | None = None  # one of scene.SHIFTED; None: the built-in one

    @property
    def rng_seed(self) -> list[int]:
        """Return what its random numbers are drawn by, beside the world's seed."""
        kind = 2 + list(scene.SHIFTED).index(self.station) if self.station else int(self.testing)
        return [list(GROUPS).index(self.group), self.number, kind]

    @property
    def file_name(self) -> str:
        return f"{self.group}/{'test_' if self.testing else ''}{self.number:04}.png"


def generate(bins: Bins, seed: int, folder: Path) -> None:
    """Fill `folder` with images/, annotations.json (as annotated) and truth.json (poses, exact masks).

    shifted/<station>/ has images/ and annotations.json of stations that differ, where `bins` asks for such photographs.
    """
    if unknown := [g for g in (*bins.images, *bins.extra_test) if g not in GROUPS]:
        raise Problem(f"scales.….bins names the group {unknown[0]!r}; the bins have {', '.join(GROUPS)}")
    if not (wanted := plan(bins, seed)):
        raise Problem("scales.….bins.images: the world would be empty; give at least one group a photograph")
    facts = take(wanted, bins, seed, folder, "drawing the bins")
    files.write_json(folder / "truth.json", {"images": facts})
    for station in scene.SHIFTED if bins.shifted and bins.extra_test else ():
        elsewhere = [
            Photograph(group, number, count, True, station)
            for group in bins.extra_test
            for number, count in enumerate(objects_per_image(group, bins.shifted), 1)
        ]
        take(elsewhere, bins, seed, folder / "shifted" / station, f"drawing {station}")


def take(wanted: list[Photograph], bins: Bins, seed: int, folder: Path, title: str) -> list[dict]:
    """Write photographs and their annotations into a folder, on all cores; return the truth about each."""
    for group in {photograph.group for photograph in wanted}:
        (folder / "images" / group).mkdir(parents=True)
    images, annotations, truth = [], [], []
    cores = provenance.cores()
    # A forked process hangs where its parent has used OpenCV's threads.
    with ProcessPoolExecutor(cores, get_context("forkserver"), cv2.setNumThreads, (1,)) as pool:
        done = pool.map(_one, [(one, bins.width, bins.height, seed, folder) for one in wanted], chunksize=4)
        for image, labels, facts in progress.bar(done, total=len(wanted), what=title, unit="photo"):
            images.append(image)
            annotations.extend(labels)
            truth.append(facts)
    files.write_json(folder / "annotations.json", {
        "info": {"description": "Tenfold bins world", "version": "1"},
        "categories": list(CATEGORIES), "images": images, "annotations": annotations,
    })  # fmt: skip
    return truth


def plan(bins: Bins, seed: int) -> list[Photograph]:
    """Return the photographs to take at the built-in station."""
    wanted = []
    for group in GROUPS:
        for total, testing in ((bins.images.get(group, 0), False), (bins.extra_test.get(group, 0), True)):
            counts = objects_per_image(group, total)
            np.random.default_rng([seed, list(GROUPS).index(group), testing]).shuffle(counts)
            fault = MISCLASSIFIED[1] - 1
            if group == MISCLASSIFIED[0] and not testing and total > fault and 6 in counts:
                at = counts.index(6)  # the thesis's misclassified image shows six objects
                counts[at], counts[fault] = counts[fault], counts[at]
            wanted += [Photograph(group, number, count, testing) for number, count in enumerate(counts, 1)]
    return wanted


def objects_per_image(group: str, total: int) -> list[int]:
    """Return how many objects each of `total` photographs shows: the thesis's distribution, exact at its own sizes."""
    weights = np.array(THESIS_COUNTS.get(group, OTHER_COUNTS), float)
    exact = weights / weights.sum() * total
    counts = np.floor(exact).astype(int)
    for at in np.argsort(counts - exact, kind="stable")[: total - counts.sum()]:
        counts[at] += 1
    return [objects for objects, times in enumerate(counts.tolist(), 1) for _ in range(times)]


def render(
    wanted: Photograph, width: int, height: int, seed: int, gone: Container[int] = ()
) -> tuple[scene.Scene, np.ndarray, np.ndarray]:
    """Return one photograph of the world, the same for the same arguments: its scene, picture and owner of each pixel.

    The objects at the places in `gone` are left out, and all else stays as it was, to the last bit of noise.
    """
    rng = np.random.default_rng([seed, *wanted.rng_seed])
    station = scene.SHIFTED[wanted.station] if wanted.station else scene.HOME
    planned = scene.plan(GROUPS[wanted.group], wanted.count, height / width, rng, station)
    shown = replace(planned, objects=tuple(pose for k, pose in enumerate(planned.objects) if k not in gone))
    picture, owner = draw.photograph(shown, width, height, rng)
    return shown, picture, owner


def _one(job: tuple[Photograph, int, int, int, Path]) -> tuple[dict, list[dict], dict]:
    wanted, width, height, seed, folder = job
    group, number, testing = wanted.group, wanted.number, wanted.testing
    planned, picture, owner = render(wanted, width, height, seed)
    name = wanted.file_name
    done, png = cv2.imencode(".png", picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert done
    (folder / "images" / name).write_bytes(png.tobytes())
    # Ids stay the same when other groups or photographs are added: 2 digits group, 4 digits photograph, 2 object.
    image_id = (list(GROUPS).index(group) + 1) * 10_000 + (5_000 if testing else 0) + number
    image = {"id": image_id, "file_name": name, "width": width, "height": height}
    if testing:
        image["split"] = "test"
    hand = np.random.default_rng([seed, image_id, 1])
    labels, masks = [], []
    for k, pose in enumerate(planned.objects, 1):
        visible = without_crumbs(owner == k)
        counts = rle.encode(np.asfortranarray(visible))["counts"]
        masks.append(counts if isinstance(counts, str) else counts.decode())
        if visible.any():
            labels.append(annotate(visible, hand) | {
                "id": image_id * 100 + k, "image_id": image_id,
                "category_id": PRODUCTS[pose.product].category, "iscrowd": 0,
            })  # fmt: skip
    _plant(group, number, testing, image, labels)
    facts = {
        "image_id": image_id, "group": group, "number": number, "testing": testing,
        "objects": [asdict(pose) | {"visible": mask} for pose, mask in zip(planned.objects, masks, strict=True)],
    }  # fmt: skip
    return image, labels, facts


def without_crumbs(visible: np.ndarray) -> np.ndarray:
    """Return a mask (0 and 1) without pieces too small to see, which would stretch its box."""
    count, piece, stats, _ = cv2.connectedComponentsWithStats(visible.astype(np.uint8), connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= max(2, CRUMB * visible.size)
    large[0] = False  # what is not the object
    return large[np.asarray(piece, np.int64)].astype(np.uint8) if count > 1 else visible.astype(np.uint8)


def annotate(visible: np.ndarray, hand: np.random.Generator) -> dict:
    """Return an annotation as a person makes it: a box around the visible pixels, and an outline of few points, none
    exact."""
    height, width = visible.shape
    contours, _ = cv2.findContours(visible, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    polygons = []
    for contour in sorted(contours, key=len, reverse=True):
        points = cv2.approxPolyDP(contour, 0.0018 * width, True)[:, 0].astype(float) + 0.5
        if len(points) < 3:
            x, y, w, h = cv2.boundingRect(contour)
            points = np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], float)
        points += hand.normal(0, HAND * width, points.shape)
        polygons.append(np.clip(points, 0, (width, height)).round(2).ravel().tolist())
    return {"bbox": list(cv2.boundingRect(visible)), "area": int(visible.sum()), "segmentation": polygons}


def _plant(group: str, number: int, testing: bool, image: dict, labels: list[dict]) -> None:
    """Add the thesis's two faults to the photographs that had them, so that the health check has something to find."""
    if testing:
        return
    if (group, number) == MISCLASSIFIED:
        for label in labels:
            label["category_id"] = ENVIRONMENT
    if (group, number) == LONE_ENVIRONMENT:
        w, h = image["width"], image["height"]
        box = [round(0.03 * w), round(0.05 * h), round(0.94 * w), round(0.9 * h)]
        x, y, bw, bh = box
        labels.append({
            "bbox": box, "area": bw * bh, "id": image["id"] * 100 + 99, "image_id": image["id"],
            "segmentation": [[x, y, x + bw, y, x + bw, y + bh, x, y + bh]],
            "category_id": ENVIRONMENT, "iscrowd": 0,
        })  # fmt: skip

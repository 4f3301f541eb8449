"""A sheet of annotated photographs and of pictures composed of their objects: the first that a person sees of a run."""

from __future__ import annotations

from pathlib import Path

from stages import drawing, paths
from stages.dataset import coco, photo

SHEET = paths.REPORTS / "first_sight.jpg"
COLUMNS, WIDTH = 5, 320  # pictures in a row; pixels of each


def make(subset: str, composition: str) -> Path:
    """Write the sheet: a row of a subset's photographs, their boxes drawn in, above two rows of composed pictures."""
    folder = paths.SUBSETS / subset
    dataset = coco.read(folder / "annotations.json", masks=False)
    objects = coco.by_image(dataset)
    rows = []
    for image in dataset.images[:COLUMNS]:
        pixels = photo.load(folder / "images" / image.file_name, image.width, image.height)
        for one in objects.get(image.id, []):
            drawing.box(pixels, one.bbox, drawing.TRUTH)
        rows.append(photo.fit(pixels, WIDTH))
    composed = sorted((paths.CANDIDATES / composition).glob("*.png"))[: 2 * COLUMNS]
    rows += [photo.fit(photo.read(path), WIDTH) for path in composed]
    photo.save(SHEET, drawing.sheet(rows, COLUMNS))
    return SHEET

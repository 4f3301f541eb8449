"""Choose, from a folder of photographs that nobody annotated, those whose annotation helps a product's detector most.

PHOTOS is the folder. Results go to reports/next/<its name>/:

  images/            the photographs, the most urgent first in annotations.json
  annotations.json   COCO, for CVAT and Label Studio: what the detector sees in them, to be corrected
  page.html          the same to look at: what was found, why each was chosen, and what to expect of annotating them

What cannot be read is said in a line each; the others are looked at all the same, and the exit code is then 1.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages import command, files, paths, progress, provenance, settings
from stages.dataset import coco, near_duplicates, photo, yolo_labels
from stages.dataset.near_duplicates import Traits
from stages.detector import predict
from stages.detector.predict import Look
from stages.evidence import more_photographs
from stages.problem import Problem
from stages.product import card, choosing, detect, detection_doubt, next_page, pictures
from stages.product.card import Card
from stages.product.detection_doubt import Sighting

COUNT = 10
IMAGES, ANNOTATIONS, PAGE = "images", "annotations.json", "page.html"


@dataclass(frozen=True)
class PhotoTraits:
    """A photograph's size, and what it is compared with others by."""

    width: int
    height: int
    afar: np.ndarray
    traits: Traits


@dataclass(frozen=True)
class Looked:
    """A photograph that was looked at, and what the detector sees in it."""

    path: Path
    shape: PhotoTraits
    things: list[Sighting]


def main(photos: Path, product: str | None, count: int, into: Path | None) -> int:
    """Choose photographs and write them; return the exit code."""
    if photos.is_file():
        raise Problem(f"{photos}: a folder of photographs to choose from is needed")
    (todo, passed_over), params = pictures.listed(photos), settings.load()
    folder = card.current(product or params.products.focus)
    about, into = card.read(folder), into or paths.REPORTS / "next" / photos.resolve().name
    check_place(into, photos)
    unreadable: list[str] = []
    look = detect.opened(folder, about)
    there = list(looked(named(todo, photos, unreadable), look, about, unreadable))
    if not there:
        raise Problem(f"{photos}: nothing in it can be read; {unreadable[0]}")
    doubts = [detection_doubt.of(one.things) for one in there]
    same = near_duplicates.alike([one.shape.traits for one in there], params.split)
    picks = choosing.chosen(doubts, [one.shape.afar for one in there], same, count)
    chosen, reasons = [there[k] for k in picks], next_page.reasons(picks, doubts, [one.things for one in there])
    expected = next_page.expected(about, len(chosen), more_photographs.read())
    with files.replacing(into) as making:
        names = write(chosen, photos, about, making)
        shown = [next_page.Choice(name, one.path, one.things, why)
                 for name, one, why in zip(names, chosen, reasons, strict=True)]  # fmt: skip
        files.write(making / PAGE, next_page.render(shown, expected, about, len(there), into))
    for number, one in enumerate(shown, 1):
        print(f"{number}. {one.path.relative_to(photos)}: {one.why}")
    if len(chosen) < min(count, len(there)):
        print(f"Only {len(chosen)}: all others are near-duplicates of these.")
    where = f"{into}: {IMAGES}/ and {ANNOTATIONS} for CVAT or Label Studio; {PAGE} shows them"
    print(*passed_over, *expected, where, sep="\n")
    return 1 if unreadable else 0


def check_place(into: Path, photos: Path) -> None:
    """Refuse a folder for the results that is there: somebody may have corrected what is in it."""
    pictures.check_apart(into, photos)
    if into.exists():
        raise Problem(f"{into}: it is there already, and may have been corrected; move it away, or name another --into")


def named(todo: list[Path], photos: Path, unreadable: list[str]) -> list[Path]:
    """Return the photographs whose names an annotation file may have."""
    kept = []
    for path in detect.named(todo, unreadable):
        try:
            files.relative_name(str(path.relative_to(photos)), str(photos))
        except Problem as why:
            detect.refuse(why, unreadable)
        else:
            kept.append(path)
    return kept


def looked(todo: list[Path], look: Look, about: Card, unreadable: list[str]) -> Iterator[Looked]:
    """Yield all photographs that can be read, each with what the detector sees in it: reading and looking at the same
    time."""

    def read(path: Path) -> tuple[PhotoTraits, np.ndarray]:
        if pictures.video(path):
            raise photo.Unreadable(f"{path}: a video; only photographs are chosen")
        pixels = photo.shown(path)
        height, width = pixels.shape[:2]
        shape = PhotoTraits(width, height, choosing.afar(pixels), near_duplicates.traits(pixels))
        return shape, photo.fit(pixels, about.imgsz)

    def readable() -> Iterator[tuple[Path, tuple[PhotoTraits, np.ndarray]]]:
        for path, reading in pictures.ahead(pool, read, todo, detect.BATCH):
            bar.update()
            try:
                yield path, reading.result()
            except photo.Unreadable as why:
                detect.refuse(why, unreadable)

    bar = progress.bar(total=len(todo), what=f"looking for {about.product}", unit="photo")
    with bar, ThreadPoolExecutor(provenance.cores()) as pool:
        for part in predict.batches(readable(), detect.BATCH):
            seen = detection_doubt.seen(look, [small for _, (_, small) in part], about.calibration)
            for (path, (shape, _)), things in zip(part, seen, strict=True):
                yield Looked(path, shape, things)


def write(chosen: list[Looked], photos: Path, about: Card, into: Path) -> list[str]:
    """Copy the photographs, under names without folders, and write what is proposed in them; return the names."""
    own = [coco.Image(k, str(one.path.relative_to(photos)), 1, 1) for k, one in enumerate(chosen, 1)]
    names = [f"{flat}{one.path.suffix}" for flat, one in zip(yolo_labels.flat_names(own), chosen, strict=True)]
    (into / IMAGES).mkdir()
    for name, one in zip(names, chosen, strict=True):
        shutil.copyfile(one.path, into / IMAGES / name)
    files.write_json(into / ANNOTATIONS, proposal(chosen, names, about))
    return names


def proposal(chosen: list[Looked], names: list[str], about: Card) -> dict:
    """Return what is proposed, as COCO with all that CVAT asks for: it takes no file without licenses, no annotation
    without a segmentation and iscrowd, and no category 0. So classes are numbered from 1 in the card's order; whatever
    reads them here goes by their names."""
    images, boxes = [], []
    for number, (name, one) in enumerate(zip(names, chosen, strict=True), 1):
        size = one.shape.width, one.shape.height
        images.append({"id": number, "file_name": name, "width": size[0], "height": size[1], "license": 0})
        for thing in detection_doubt.proposed(one.things):
            x, y, w, h = (round(float(v), 2) for v in thing.box * (size * 2))
            boxes.append({
                "id": len(boxes) + 1, "image_id": number, "category_id": thing.number + 1, "bbox": [x, y, w, h],
                "area": round(w * h, 2), "iscrowd": 0, "segmentation": [],
            })  # fmt: skip
    categories = [{"id": k, "name": of.name, "supercategory": ""} for k, of in enumerate(about.classes, 1)]
    return {
        "info": {"description": f"proposed by the detector of {about.product}, to be corrected"},
        "licenses": [{"id": 0, "name": "", "url": ""}],
        "categories": categories, "images": images, "annotations": boxes,
    }  # fmt: skip


def asked() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, metavar="PHOTOS", help="a folder of photographs")
    parser.add_argument("--product", help="whose detector in models/products/; else the product in focus")
    parser.add_argument("--count", type=positive, default=COUNT, help=f"photographs to choose (default {COUNT})")
    parser.add_argument("--into", type=Path, help="folder for the results")
    return parser.parse_args()


def positive(text: str) -> int:
    """Return a number of photographs, if it is one."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of photographs")
    return int(text)


if __name__ == "__main__":
    arguments = asked()
    command.end(lambda: main(**vars(arguments)))

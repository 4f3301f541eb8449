"""Look at photographs with a product's detector: boxes on copies of them, and all detections as COCO results.

PHOTOS is a photograph, a video, or a folder of these. Results go to reports/detections/<its name>/:

  pictures/         copies with boxes, each with its class and how certain it is in percent
  detections.json   COCO results; `certainty` beside `score` is the share of such detections that are right
  images.json       the images and categories that their ids stand for

What cannot be read is said in a line each; the others are looked at all the same, and the exit code is then 1.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from stages import command, drawing, files, paths, progress, provenance, settings
from stages.dataset import photo
from stages.detector import predict
from stages.detector.predict import Look
from stages.problem import Problem
from stages.product import card, pictures
from stages.product.card import Card

BATCH = 8  # photographs looked at together; they are in memory at full size, so large ones are alone
QUALITY = 90  # of the copies, as JPEG
DIGITS = 4  # of a video's frames a second, which MPEG-4 writes as a fraction of numbers below 65,536
COPIES, DETECTIONS, IMAGES = "pictures", "detections.json", "images.json"
RESULTS = {COPIES, DETECTIONS, IMAGES}

Shot = tuple[np.ndarray, np.ndarray]  # a picture as it is, and reduced to the detector's size


@dataclass
class Found:
    """What has been seen so far, as COCO has it, and what could not be read."""

    card: Card
    confidence: float
    root: Path  # from which on files are named
    images: list[dict[str, Any]] = field(default_factory=list)
    detections: list[dict[str, Any]] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    def add(self, name: str, pixels: np.ndarray, seen: np.ndarray, **more: int) -> np.ndarray:
        """Note what was seen in a picture; return what counts of it: box in pixels, confidence, class number."""
        height, width = pixels.shape[:2]
        kept = seen[seen[:, 4] >= self.confidence]
        kept[:, :4] *= (width, height, width, height)
        number = len(self.images) + 1
        self.images.append({"id": number, "file_name": name, "width": width, "height": height} | more)
        for row, certainty in zip(kept, self.card.calibration.certainty(kept[:, 4]), strict=True):
            self.detections.append({
                "image_id": number, "category_id": self.card.classes[int(row[5])].id,
                "bbox": [round(float(v), 2) for v in row[:4]], "score": round(float(row[4]), 4),
                "certainty": round(float(certainty), 4),
            })  # fmt: skip
        return kept


def main(photos: Path, product: str | None, at: str, into: Path | None) -> int:
    """Look at all there is; return the exit code."""
    sources, passed_over = pictures.listed(photos)
    folder = card.current(product or settings.load().products.focus)
    about = card.read(folder)
    root, name = (photos, photos.resolve().name) if photos.is_dir() else (photos.parent, photos.stem)
    found = Found(about, threshold(about, at), root)
    into = into or unnamed(paths.DETECTIONS / name, photos)
    check_place(into, photos)
    look = opened(folder, about)
    sources = named(sources, found.unreadable)
    plain = [path for path in sources if not pictures.video(path)]
    names = copies([path.relative_to(root) for path in sources])
    with files.replacing(into) as making:
        bar = progress.bar(total=sum(map(length, sources)), what=f"looking for {about.product}", unit="picture")
        with bar, ThreadPoolExecutor(provenance.cores()) as pool:
            large = set(filter(pictures.large, plain))
            for todo, together in (([path for path in plain if path not in large], BATCH), (sorted(large), 1)):
                photographs(todo, together, names, making, look, found, pool, bar)
            for path in filter(pictures.video, sources):
                video(path, making / COPIES / names[path.relative_to(root)], look, found, bar)
        if not found.images:
            raise Problem(f"{photos}: nothing in it can be read; {found.unreadable[0]}")
        files.write_json(making / DETECTIONS, found.detections)
        categories = [{"id": of.id, "name": of.name} for of in about.classes]
        seen = {"info": of_photographs(photos), "images": found.images, "annotations": [], "categories": categories}
        files.write_json(making / IMAGES, seen)
    print(summary(found, into), *passed_over, sep="\n")
    return 1 if found.unreadable else 0


def threshold(about: Card, at: str) -> float:
    """Return the confidence that is asked for: of one of the card's thresholds, or as a number."""
    if at in about.thresholds:
        point = about.thresholds[at]
        return point.confidence if point else about.confidence
    return float(at)


def check_place(into: Path, photos: Path) -> None:
    """Refuse a folder for the results that holds anything but earlier results, or not apart from the photographs."""
    pictures.check_apart(into, photos)
    if not into.exists():
        return
    names = {path.name for path in into.iterdir()} if into.is_dir() else {into.name}
    earlier = RESULTS if DETECTIONS in names else set()
    if other := sorted(names - earlier):
        raise Problem(f"{into}: there is something else ({other[0]}); results replace only earlier results")


def unnamed(into: Path, photos: Path) -> Path:
    """Return the folder for results that nobody has named another for; refuse it where those of others are there."""
    ours = of_photographs(photos)
    if (into / IMAGES).is_file() and files.read_json(into / IMAGES).get("info", ours) != ours:
        raise Problem(f"{into}: results of other photographs are there; move them away, or name another --into")
    return into


def of_photographs(photos: Path) -> dict[str, str]:
    """Return what tells results of these photographs from those of others of the same name."""
    return {"of": files.fingerprint(os.path.relpath(photos.resolve()))}


def length(path: Path) -> int:
    """Return how many pictures a file says it has."""
    return max(0, int(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT))) if pictures.video(path) else 1


def opened(folder: Path, about: Card) -> Look:
    """Return the detector in a product's folder, to be asked."""
    try:
        return predict.opened(folder / card.WEIGHTS, about.imgsz, BATCH)
    except OSError as error:  # also of what is half there
        raise Problem(f"{folder / card.WEIGHTS}: the detector cannot be read ({error.strerror}): `dvc pull`") from None


def named(sources: list[Path], unreadable: list[str]) -> list[Path]:
    """Return the files whose names can be written down."""
    for path in sources:
        if not files.tellable(path):
            refuse(photo.Unreadable(f"{path}: its name is not UTF-8, as JSON has to be; rename it"), unreadable)
    return list(filter(files.tellable, sources))


def photographs(
    todo: list[Path], together: int, names: dict[Path, Path], into: Path, look: Look, found: Found,
    pool: ThreadPoolExecutor, bar: tqdm,
) -> None:  # fmt: skip
    """Look at photographs, so many together, and write a copy of each with its boxes: reading, looking and writing at
    the same time."""

    def read(path: Path) -> Shot:
        pixels = photo.shown(path)
        return pixels, photo.fit(pixels, found.card.imgsz)

    def readable() -> Iterator[tuple[Path, Shot]]:
        for path, reading in pictures.ahead(pool, read, todo, together):
            bar.update()
            try:
                yield path, reading.result()
            except photo.Unreadable as why:
                refuse(why, found.unreadable)

    def write(job: tuple[Path, np.ndarray, np.ndarray]) -> None:
        path, pixels, kept = job
        done, data = cv2.imencode(".jpg", annotated(pixels, kept, found.card), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        if not done:
            height, width = pixels.shape[:2]
            raise photo.Unreadable(f"{path}: JPEG has no pictures of {width}×{height}: no copy, what is seen is noted")
        files.write(into / COPIES / names[path.relative_to(found.root)], data.tobytes())

    def seen() -> Iterator[tuple[Path, np.ndarray, np.ndarray]]:
        for part in predict.batches(readable(), together):
            for (path, (pixels, _)), of in zip(part, looked(look, [small for _, (_, small) in part]), strict=True):
                yield path, pixels, found.add(str(path.relative_to(found.root)), pixels, of)

    for _, writing in pictures.ahead(pool, write, seen(), together):
        try:
            writing.result()
        except photo.Unreadable as why:
            refuse(why, found.unreadable)


def video(path: Path, target: Path, look: Look, found: Found, bar: tqdm) -> None:
    """Look at every frame of a video, and write a copy of it with boxes to `target`."""
    name = path.relative_to(found.root)
    try:
        film = pictures.opened(path)
    except photo.Unreadable as why:
        refuse(why, found.unreadable)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    rate, copy, number = float(f"{film.get(cv2.CAP_PROP_FPS) or 25.0:.{DIGITS}g}"), None, 0
    width, height = (int(film.get(of)) for of in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    together = max(1, min(BATCH, pictures.LARGE // max(1, width * height)))
    for part in predict.batches(pictures.frames(film), together):
        for pixels, of in zip(part, looked(look, [photo.fit(p, found.card.imgsz) for p in part]), strict=True):
            kept = found.add(str(name), pixels, of, frame=number)
            if copy is None:
                size = pixels.shape[1], pixels.shape[0]
                copy = cv2.VideoWriter(str(target), cv2.VideoWriter.fourcc(*"mp4v"), rate, size)
                if not copy.isOpened():
                    frames = f"frames of {size[0]}×{size[1]} at {rate:g} a second"
                    why = f"{path}: MPEG-4 has no {frames}: no copy, what is seen is noted"
                    refuse(photo.Unreadable(why), found.unreadable)
            copy.write(annotated(pixels, kept, found.card))
            number += 1
            bar.update()
    if copy is None:
        refuse(photo.Unreadable(f"{path}: a video without a frame that can be read"), found.unreadable)
        return
    copy.release()
    promised = int(film.get(cv2.CAP_PROP_FRAME_COUNT))
    if number + rate < promised:  # within a second: of some only the duration is known, with the sound's end
        why = f"{path}: cut or damaged: of its {promised} frames {number} can be read, what is seen in these is noted"
        refuse(photo.Unreadable(why), found.unreadable)


def refuse(why: Problem, unreadable: list[str]) -> None:
    """Note, and say, what cannot be read."""
    unreadable.append(str(why))
    tqdm.write(f"tenfold: {why}", file=sys.stderr)


def looked(look: Look, small: list[np.ndarray]) -> list[np.ndarray]:
    """Return what is seen in pictures, whichever stand beside them: ultralytics pads pictures of several shapes."""
    found = {}
    for places in photo.by_shape(small):
        found |= dict(zip(places, look([small[k] for k in places]), strict=True))
    return [found[k] for k in range(len(small))]


def copies(names: list[Path]) -> dict[Path, Path]:
    """Return the name of each file's copy, a JPEG or an MP4, of which no two are the same, and none is a folder's or
    too long. A photograph's has its own suffix in it only where another would have the same name."""
    often = Counter(str(name.with_suffix("")).lower() for name in names if not pictures.video(name))
    taken = {str(folder).lower() for name in names for folder in name.parents}
    found: dict[Path, Path] = {}
    for name in names:
        film, short = pictures.video(name), files.shortened(name.name)
        alone = not film and often[str(name.with_suffix("")).lower()] == 1 and name.name == short
        ending = ".mp4" if film else ".jpg"
        whole = (name.with_name(f"{short}{'_' * k}{ending}") for k in range(len(names) + len(taken) + 1))
        options = [name.with_suffix(ending), *whole] if alone else whole
        found[name] = next(option for option in options if str(option).lower() not in taken)
        taken.add(str(found[name]).lower())
    return found


def annotated(pixels: np.ndarray, kept: np.ndarray, about: Card) -> np.ndarray:
    """Draw boxes in a picture, each with its class and its certainty in percent; return it as OpenCV writes it."""
    for row, certainty in zip(kept, about.calibration.certainty(kept[:, 4]), strict=True):
        name = drawing.printable(about.classes[int(row[5])].name, int(row[5]))
        drawing.box(pixels, tuple(row[:4]), drawing.SURE, f"{name} {100 * certainty:.0f}")
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)


def summary(found: Found, into: Path) -> str:
    """Return what was found, in two lines."""
    names = {of.id: of.name for of in found.card.classes}
    counts = Counter(names[row["category_id"]] for row in found.detections)
    each = ", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing"
    failed = f"; {len(found.unreadable)} files could not be read or copied" if found.unreadable else ""
    return (f"{len(found.images)} pictures, in them {each}, at confidence {found.confidence:.2f} and above{failed}\n"
            f"{into}: {COPIES}/, {DETECTIONS}, {IMAGES}")  # fmt: skip


def asked() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, metavar="PHOTOS", help="a photograph, a video, or a folder of these")
    parser.add_argument("--product", help="whose detector in models/products/; else the product in focus")
    parser.add_argument(
        "--at", default="precision", type=confidence, metavar="WHERE",
        help="which detections count: at the card's threshold for 95 %% `precision` (the default) or `recall`, or from "
        "a confidence on, such as 0.25",
    )  # fmt: skip
    parser.add_argument("--into", type=Path, help="folder for the results")
    return parser.parse_args()


def confidence(text: str) -> str:
    """Return a threshold's name or number, if it is one."""
    if text not in ("precision", "recall"):
        try:
            inside = 0 <= float(text) <= 1
        except ValueError:
            inside = False
        if not inside:
            raise argparse.ArgumentTypeError(f"{text!r} is neither precision nor recall nor between 0 and 1")
    return text


if __name__ == "__main__":
    arguments = asked()
    command.end(lambda: main(**vars(arguments)))

"""What people and tools hand in, one kind each: a maker of a case, which changes it at random and reads it as the
project does. Cases run in the folder that they are made in."""

from __future__ import annotations

import copy
import csv
import io
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pycocotools import mask as rle
from ruamel.yaml import YAML

from flows import inbox
from stages import files, paths, settings
from stages.dataset import arrival, coco, findings, fixes, health, photo, subset, yolo_labels
from stages.dataset.formats import convert
from stages.extract import cutouts, placeable
from stages.judge import candidate_pictures, final_verdicts, judged_table, reference, review_records
from stages.problem import Problem
from tests.helpers.checkouts import ROOT
from tests.helpers.mutate import NASTY, as_json, changed, garbled

Case = Callable[[np.random.Generator], None]

WIDTH, HEIGHT = 24, 18
SQUARE = np.zeros((HEIGHT, WIDTH), np.uint8, "F")
SQUARE[4:12, 6:16] = 1
MASKS = (
    [[3, 3, 12, 3, 12, 10, 3, 10]], None, {"size": [HEIGHT, WIDTH], "counts": rle.encode(SQUARE)["counts"].decode()},
    {"size": [HEIGHT, WIDTH], "counts": [100, 8, 324]}, [[1, 1, 5, 1, 5, 5], [9, 9, 15, 9, 12, 15]],
)  # fmt: skip


def noise(path: Path, seed: int) -> None:
    """Write a small photograph."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def dataset(place: Path) -> dict[str, Any]:
    """Return the annotations of three small photographs in `images/g/`."""
    for k in range(3):
        noise(place / "images" / "g" / f"{k}.png", k)
    size = {"width": WIDTH, "height": HEIGHT}
    return {
        "images": [{"id": k, "file_name": f"g/{k}.png", **size} for k in range(3)],
        "categories": [{"id": 1, "name": "a"}, {"id": 4, "name": "b"}],
        "annotations": [
            {"id": k, "image_id": k % 3, "category_id": (1, 4)[k % 2], "bbox": [3, 3, 10, 9], "segmentation": mask}
            for k, mask in enumerate(MASKS)
        ],
    }


def annotations(place: Path) -> Case:
    params, whole = settings.load(ROOT / "params.yaml"), dataset(place)
    files.write(place / "product.yaml", "classes: []\n")
    path, known = place / "annotations.json", coco.Coco([coco.Image(1, "known.png", WIDTH, HEIGHT)], [], [])
    photo.save(place / "known.png", np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    known.categories = [coco.Category(1, "a"), coco.Category(4, "b")]
    theirs = arrival.traits(place, known.images)

    def case(rng: np.random.Generator) -> None:
        text = as_json(changed(whole, rng))
        path.write_bytes(garbled(text, rng) if rng.random() < 0.3 else text)
        read = coco.read(path)
        coco.read(path, masks=False)
        looks = health.look(read, place / "images")
        findings.inspect(read, looks, health.near_duplicate_images(looks, params), params)
        fixes.apply(read, [settings.Fix(do="clip")])
        usable, _ = yolo_labels.usable(read)
        texts, _ = yolo_labels.labels(read, usable, polygons=True)
        assert all(0 <= float(v) <= 1 for text in texts for line in text.splitlines() for v in line.split()[1:])
        assert len({name.lower() for name in yolo_labels.flat_names(read.images)}) == len(read.images)
        arrival.check_boxes(read, path)  # as where a dataset is taken in
        for prefer in ("separated", "crowded"):
            rule = settings.Subset(group="g", count="all", prefer=prefer, fewer=True)
            subset.pick(coco.subset(read, [i.id for i in read.images]), rule, 0, "here")
        placeable.units(cutouts.scenes(place)[0])
        arrival.check(place, known, theirs, 1, params.split)

    return case


def pictures(place: Path) -> Case:
    pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    whole = {}
    for suffix in ("png", "jpg", "webp", "tiff", "bmp", "gif", "jp2", "ppm", "avif"):
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, Image.registered_extensions()[f".{suffix}"])
        whole[suffix] = buffer.getvalue()

    def case(rng: np.random.Generator) -> None:
        kind = list(whole)[rng.integers(len(whole))]
        path = place / f"a.{rng.choice(list(whole))}"  # which need not be its own
        path.write_bytes(garbled(whole[kind], rng))
        photo.turned(path)
        assert photo.load(path, WIDTH, HEIGHT).shape == (HEIGHT, WIDTH, 3)

    return case


def params(place: Path) -> Case:
    text = (ROOT / "params.yaml").read_text()
    raw, path = YAML(typ="safe", pure=True).load(text), place / "params.yaml"

    def case(rng: np.random.Generator) -> None:
        if rng.random() < 0.5:
            path.write_bytes(as_json(changed(raw, rng)))  # JSON is YAML, and read as fast as it
        else:
            path.write_bytes(garbled(text.encode(), rng))
        settings.load(path)

    return case


def table(rows: list[dict]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(dict.fromkeys(key for row in rows for key in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(errors="replace")


def reviews(place: Path) -> Case:
    said = [review_records.new("Ada", f"x_{k}", "abc", review_records.VERDICT, "red") for k in range(3)]
    path = place / "x.csv"

    def case(rng: np.random.Generator) -> None:
        rows = [row for row in changed([asdict(row) for row in said], rng) if isinstance(row, dict)]
        path.write_bytes(garbled(table(rows), rng) if rng.random() < 0.5 else table(rows))
        review_records.said(review_records.read(path), {"x_0": "abc"})
        texts = [str(NASTY[rng.integers(len(NASTY))]) if rng.random() < 0.3 else "Ada" for _ in range(3)]
        new = review_records.new(*texts, review_records.PREFERENCE, texts[0])
        review_records.write(path, [*said, new])
        assert review_records.read(path) == [*said, new]

    return case


def judges_tables(place: Path) -> Case:
    colours = ("green", "yellow", "white", "red")
    rows = [
        {"id": f"x_{k}", "verdict": colour, "reason": "new", "nearest": "g/0.png", "distance": 0.1, "threshold": 0.2,
         "arrangement_like": "g/1.png", "boxes": "[[0, 0, 1, 1, 0, 0.5]]"}
        for k, colour in enumerate(colours)
    ]  # fmt: skip
    for row in rows:
        photo.save(paths.CANDIDATES / "x" / f"{row['id']}.png", np.zeros((4, 4, 3), np.uint8))
    files.write_json(paths.JUDGED / "x.json", {})

    def case(rng: np.random.Generator) -> None:
        mine = [row for row in changed(copy.deepcopy(rows), rng) if isinstance(row, dict)]
        files.write(paths.JUDGED / "x.csv", garbled(table(mine), rng) if rng.random() < 0.5 else table(mine))
        final_verdicts.main("x")
        files.write_json(place / "page.json", judged_table.read("x").to_dict("records"))

    return case


def manifests(place: Path) -> Case:
    rows = [
        {"id": f"x_{k}", "experiment": "x", "step": k, "seed": 7, "parents": "ten;rest", "boxes": boxes,
         "frame_width": 24, "frame_height": 18}
        for k, boxes in enumerate(("", "[[0, 0, 9, 9]]"))
    ]  # fmt: skip
    photo.save(paths.CANDIDATES / "x" / "x_0.png", np.zeros((8, 8, 3), np.uint8))
    photo.save(paths.CANDIDATES / "x" / "x_1.png", np.zeros((18, 24, 3), np.uint8))

    def case(rng: np.random.Generator) -> None:
        mine = [row for row in changed(copy.deepcopy(rows), rng) if isinstance(row, dict)]
        text = garbled(table(mine), rng) if rng.random() < 0.5 else table(mine)
        files.write(paths.CANDIDATES / "x" / "manifest.csv", text)
        manifest = candidate_pictures.listed(paths.CANDIDATES / "x")
        reference.parents(manifest)
        if len(manifest):
            candidate_pictures.load(paths.CANDIDATES / "x", manifest, 8)

    return case


YOLO = {
    "data.yaml": b"names: {0: can, 1: cup}\ntrain: images\ntest: [test/images]\n",
    "images/labels/g/0.txt": b"0 0.5 0.5 0.2 0.25\n1 0.1 0.1 0.4 0.1 0.4 0.4\n", "images/labels/g/1.txt": b"",
}  # fmt: skip
VOC = b"""<?xml version="1.0"?><!--x--><annotation><filename>%d.png</filename><size><width>24</width><height>18</height>
</size><object><name>can</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>9</xmax><ymax>8</ymax></bndbox></object>
</annotation>"""
CVAT = b"""<?xml version="1.0"?><annotations><meta><label><name>can</name></label></meta><image id="0" name="g/0.png"
width="24" height="18"><box label="can" xtl="1" ytl="1" xbr="9.5" ybr="8" rotation="20"/><polygon label="can"
points="1,1;9,2;4,9"/><mask label="can" left="2" top="3" width="3" height="2" rle="1,2,3"/></image></annotations>"""
FORMATS = (
    YOLO, {f"images/annotations/g/{k}.xml": VOC % k for k in range(3)}, {"annotations.xml": CVAT}, {"result.json": b""},
)  # fmt: skip
XML = (b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>", b"&x;", b"<a>" * 900, b"1e308", b"nan", b"../", b"-9")


def formats(place: Path) -> Case:
    """Folders as annotation tools export them; one of their texts is garbled, or gets something put into it."""
    exported, whole = place / "exported", dataset(place / "exported")

    def case(rng: np.random.Generator) -> None:
        texts = dict(FORMATS[rng.integers(len(FORMATS))])
        if "result.json" in texts:
            texts["result.json"] = as_json(changed(whole, rng))
        name = list(texts)[rng.integers(len(texts))]
        if rng.random() < 0.5:
            texts[name] = garbled(texts[name], rng)
        else:
            at, put = rng.integers(len(texts[name]) + 1), XML[rng.integers(len(XML))]
            texts[name] = texts[name][:at] + put + texts[name][at:]
        folder, into = place / "folder", place / "into"
        for old in (folder, into):
            shutil.rmtree(old, ignore_errors=True)
        shutil.copytree(exported, folder)
        for path, text in texts.items():
            files.write(folder / path, text)
        convert.convert(folder, into)
        coco.read(into / "annotations.json")

    return case


def queue(place: Path) -> Case:
    """Arrivals' folders: their names, what is said of them, what lies in them; and the journal."""
    names = ("spray", "Spray!", "../x", "s" * 255, os.fsdecode(b"caf\xe9"), "a\nb", ".x", "focus")

    def word(rng: np.random.Generator) -> bytes:
        return garbled(b"classes: [a]\nreal: true\n3", rng) if rng.random() < 0.5 else str(
            NASTY[rng.integers(len(NASTY))]).encode(errors="replace")  # fmt: skip

    def case(rng: np.random.Generator) -> None:
        checkout = place / "checkout"
        shutil.rmtree(checkout, ignore_errors=True)
        folder = checkout / inbox.INCOMING / names[rng.integers(len(names))].replace("/", "_")
        for name in (arrival.READY, arrival.REASON, "product.yaml", "images/a.png"):
            path, kind = folder / name, rng.integers(6)
            path.parent.mkdir(parents=True, exist_ok=True)
            if kind == 0:
                path.mkdir()
            elif kind == 1:
                path.symlink_to(("/proc/kmsg", "/dev/zero", "nowhere", place / "outside")[rng.integers(4)])
            elif kind == 2:
                os.mkfifo(path)
            else:
                path.write_bytes(word(rng))
        inbox.ready(checkout)
        if of := inbox.claim(checkout, folder):
            try:
                arrival.check_name(of.name, coco.Coco([], [], []), {})
                arrival.about(checkout / of.folder)
            except Problem as problem:
                inbox.quarantine(checkout, of, str(problem))
                inbox.unquarantine(checkout, of.name)
        journal = checkout / inbox.JOURNAL
        entry = {"name": "spray", "content": "abc", "state": "left", "when": "now", "why": "", "tries": 1}
        text = as_json(changed({"spray-abc": entry}, rng))
        files.write(journal, garbled(text, rng) if rng.random() < 0.5 else text)
        inbox.recover(checkout)
        assert not (place / "outside").exists()

    return case


KINDS: dict[str, Callable[[Path], Case]] = {
    of.__name__: of for of in (annotations, pictures, params, reviews, judges_tables, manifests, formats, queue)
}

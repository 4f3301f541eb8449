"""Whatever is handed in gives a result or one line; nothing is written elsewhere, and little time and memory taken.

A failure names its seed: `outcomes(range(seed, seed + 1), …)` is that case alone.
"""

import copy
import csv
import io
from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as rle
from ruamel.yaml import YAML

from stages import files, paths, settings
from stages.dataset import arrival, coco, findings, fixes, health, photo, subset, yolo_labels
from stages.extract import cutouts, placeable
from stages.judge import final_verdicts, judged_table, review_records
from stages.problem import Problem
from tests.helpers.checkouts import ROOT
from tests.helpers.mutate import NASTY, as_json, changed, garbled, outcomes

WIDTH, HEIGHT = 24, 18
SQUARE = np.zeros((HEIGHT, WIDTH), np.uint8, "F")
SQUARE[4:12, 6:16] = 1
MASKS = (
    [[3, 3, 12, 3, 12, 10, 3, 10]], None, {"size": [HEIGHT, WIDTH], "counts": rle.encode(SQUARE)["counts"].decode()},
    {"size": [HEIGHT, WIDTH], "counts": [100, 8, 324]}, [[1, 1, 5, 1, 5, 5], [9, 9, 15, 9, 12, 15]],
)  # fmt: skip


def cases(quick, slow):
    """Seeds of the quick tests, and of the slow ones."""
    return pytest.mark.parametrize("seeds", [
        pytest.param(range(quick), id="quick"),
        pytest.param(range(quick, quick + slow), id="slow", marks=pytest.mark.slow),
    ])  # fmt: skip


@pytest.fixture
def dataset(tmp_path, monkeypatch):
    """Three small photographs and their annotations, in a folder to work in."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for k in range(3):
        path = tmp_path / "images" / "g" / f"{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)).save(path)
    files.write(tmp_path / "product.yaml", "classes: []\n")
    size = {"width": WIDTH, "height": HEIGHT}
    return {
        "images": [{"id": k, "file_name": f"g/{k}.png", **size} for k in range(3)],
        "categories": [{"id": 1, "name": "a"}, {"id": 4, "name": "b"}],
        "annotations": [
            {"id": k, "image_id": k % 3, "category_id": (1, 4)[k % 2], "bbox": [3, 3, 10, 9], "segmentation": mask}
            for k, mask in enumerate(MASKS)
        ],
    }


@cases(80, 800)
def test_annotations(dataset, tmp_path, seeds):
    params = settings.load(ROOT / "params.yaml")
    path, known = tmp_path / "annotations.json", coco.Coco([coco.Image(1, "known.png", WIDTH, HEIGHT)], [], [])
    photo.save(tmp_path / "known.png", np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    known.categories = [coco.Category(1, "a"), coco.Category(4, "b")]
    theirs = arrival.traits(tmp_path, known.images)

    def case(rng):
        text = as_json(changed(dataset, rng))
        path.write_bytes(garbled(text, rng) if rng.random() < 0.3 else text)
        whole = coco.read(path)
        coco.read(path, masks=False)
        looks = health.look(whole, tmp_path / "images")
        findings.inspect(whole, looks, health.near_duplicate_images(looks, params), params)
        fixes.apply(whole, [settings.Fix(do="clip")])
        usable, _ = yolo_labels.usable(whole)
        texts, _ = yolo_labels.labels(whole, usable, polygons=True)
        assert all(0 <= float(v) <= 1 for text in texts for line in text.splitlines() for v in line.split()[1:])
        assert len({name.lower() for name in yolo_labels.flat_names(whole.images)}) == len(whole.images)
        for prefer in ("separated", "crowded"):
            rule = settings.Subset(group="g", count="all", prefer=prefer, fewer=True)
            subset.pick(coco.subset(whole, [i.id for i in whole.images]), rule, 0, "here")
        placeable.units(cutouts.scenes(tmp_path)[0])
        arrival.check(tmp_path, known, theirs, 1, params.split)

    assert outcomes(seeds, tmp_path, case)


@cases(40, 400)
def test_pictures(tmp_path, seeds):
    pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    whole = {}
    for suffix in ("png", "jpg", "webp", "tiff", "bmp", "gif", "jp2", "ppm", "avif"):
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, Image.registered_extensions()[f".{suffix}"])
        whole[suffix] = buffer.getvalue()

    def case(rng):
        kind = list(whole)[rng.integers(len(whole))]
        path = tmp_path / f"a.{rng.choice(list(whole))}"  # which need not be its own
        path.write_bytes(garbled(whole[kind], rng))
        photo.turned(path)
        assert photo.load(path, WIDTH, HEIGHT).shape == (HEIGHT, WIDTH, 3)

    outcomes(seeds, tmp_path, case)


@cases(20, 200)
def test_settings(tmp_path, seeds):
    text = (ROOT / "params.yaml").read_text()
    raw, path = YAML(typ="safe", pure=True).load(text), tmp_path / "params.yaml"

    def case(rng):
        if rng.random() < 0.5:
            path.write_bytes(as_json(changed(raw, rng)))  # JSON is YAML, and read as fast as it
        else:
            path.write_bytes(garbled(text.encode(), rng))
        settings.load(path)

    outcomes(seeds, tmp_path, case)


def table(rows):
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(dict.fromkeys(key for row in rows for key in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(errors="replace")


@cases(30, 300)
def test_reviews(tmp_path, seeds):
    said = [review_records.new("Ada", f"x_{k}", "abc", review_records.VERDICT, "red") for k in range(3)]
    path = tmp_path / "x.csv"

    def case(rng):
        rows = [row for row in changed([asdict(row) for row in said], rng) if isinstance(row, dict)]
        path.write_bytes(garbled(table(rows), rng) if rng.random() < 0.5 else table(rows))
        review_records.said(review_records.read(path), {"x_0": "abc"})
        texts = [str(NASTY[rng.integers(len(NASTY))]) if rng.random() < 0.3 else "Ada" for _ in range(3)]
        new = review_records.new(*texts, review_records.PREFERENCE, texts[0])
        review_records.write(path, [*said, new])
        assert review_records.read(path) == [*said, new]

    assert outcomes(seeds, tmp_path, case)


@cases(30, 300)
def test_judges_tables(tmp_path, monkeypatch, seeds):
    monkeypatch.chdir(tmp_path)
    colours = ("green", "yellow", "white", "red")
    rows = [
        {"id": f"x_{k}", "verdict": colour, "reason": "new", "nearest": "g/0.png", "distance": 0.1, "threshold": 0.2,
         "arrangement_like": "g/1.png", "boxes": "[[0, 0, 1, 1, 0, 0.5]]"}
        for k, colour in enumerate(colours)
    ]  # fmt: skip
    for row in rows:
        photo.save(paths.CANDIDATES / "x" / f"{row['id']}.png", np.zeros((4, 4, 3), np.uint8))
    files.write_json(paths.JUDGED / "x.json", {})

    def case(rng):
        mine = [row for row in changed(copy.deepcopy(rows), rng) if isinstance(row, dict)]
        files.write(paths.JUDGED / "x.csv", garbled(table(mine), rng) if rng.random() < 0.5 else table(mine))
        final_verdicts.main("x")
        files.write_json(tmp_path / "page.json", judged_table.read("x").to_dict("records"))

    assert outcomes(seeds, tmp_path, case)


def test_the_watch_sees_what_it_is_for(tmp_path):
    with pytest.raises(AssertionError, match=r"seed 0: .*it is not here"):
        outcomes(range(1), tmp_path / "in", lambda _: (tmp_path / "it is not here").write_text("x"))
    with pytest.raises(AssertionError, match="seed 0: MemoryError"):
        outcomes(range(1), tmp_path, lambda _: np.ones(1 << 40))

    def refuse(_):
        raise Problem("two\nlines")

    assert outcomes(range(2), tmp_path, refuse) == 0

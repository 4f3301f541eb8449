import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages import files, paths
from stages.compose import candidates, classic, paste
from stages.dataset import coco, photo
from stages.feedback import accept
from stages.feedback.labels import LabelledObjects
from stages.judge import final_verdicts, judge_candidates

COLOURS = ("green", "yellow", "green", "red", "green", "white")


def said(experiment, ids, boxes):
    table = pd.DataFrame({"id": ids, "verdict": COLOURS, "mean_confidence": [0.5, 0.9, 0.8, 0.7, 0.9, ""],
                          "boxes": json.dumps(boxes)})  # fmt: skip
    files.write(paths.VERDICTS / f"{experiment}.csv", table.to_csv(index=False))


@pytest.fixture
def drawn(composing):
    """Six candidates of a GAN: squares of 32 pixels."""
    ids = [f"wgan_ten_40_{k:03}" for k in range(6)]
    rng = np.random.default_rng(0)
    for id_ in ids:
        path = paths.CANDIDATES / "wgan_ten" / f"{id_}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(path)
    rows = [{"id": id_, "experiment": "wgan_ten", "step": 40, "seed": k, "parents": "data/subsets/ten", "boxes": "",
             "frame_width": 320, "frame_height": 180} for k, id_ in enumerate(ids)]  # fmt: skip
    files.write(paths.CANDIDATES / "wgan_ten" / "manifest.csv", pd.DataFrame(rows).to_csv(index=False))
    said("wgan_ten", ids, [[0.5, 0.5, 0.25, 0.25, 1, 0.9]])
    return ids


def test_green_ones_keep_the_labels_they_were_composed_with(composing):
    candidates.compose("paste_alone", paste.rows, paste.make)
    manifest = pd.read_csv(paths.CANDIDATES / "paste_alone" / "manifest.csv")
    said("paste_alone", manifest["id"], [])
    accept.main("paste_alone")
    made, accepted = (coco.read(p / "paste_alone" / "annotations.json") for p in (paths.CANDIDATES, paths.ACCEPTED))
    assert [Path(i.file_name).stem for i in accepted.images] == list(manifest["id"][[4, 2, 0]])  # the surest first
    theirs = {
        image.file_name: [(a.bbox, a.segmentation) for a in coco.by_image(made)[image.id]] for image in made.images
    }
    for image in accepted.images:
        assert [(a.bbox, a.segmentation) for a in coco.by_image(accepted)[image.id]] == theirs[image.file_name]
        photo.load(paths.ACCEPTED / "paste_alone" / "images" / image.file_name, image.width, image.height)
    entry = files.read_json(paths.ACCEPTED / "paste_alone" / "annotations.json")["images"][0]
    assert entry["lineage"] | {"seed": 0, "sure": 0} == {
        "experiment": "paste_alone", "step": 0, "seed": 0, "parents": "data/subsets/ten", "sure": 0,
    }  # fmt: skip


def test_changed_images_need_no_verdict(composing):
    candidates.compose("classic", classic.rows, classic.make)
    judge_candidates.main("classic")
    final_verdicts.main("classic")
    accept.main("classic")
    assert files.read_json(paths.ACCEPTED / "classic" / "accepted.json")["accepted"] == 6


def test_of_drawn_ones_those_count_on_whose_objects_two_detectors_agree(drawn, monkeypatch):
    def label(pixels, detectors, _imgsz, _rule):
        assert [str(d.parent) for d in detectors] == ["models/detector/focus/judge", "models/detector/focus/labeller"]
        found = LabelledObjects(np.array([(0.25, 0.5, 0.5, 0.6)]), np.array([1]), np.array([0.8]))
        return ["no object" if k % 2 else found for k in range(len(pixels))]

    monkeypatch.setattr(accept.labels, "label", label)
    accept.main("wgan_ten")
    folder = paths.ACCEPTED / "wgan_ten"
    assert files.read_json(folder / "accepted.json") == {
        "candidates": 6, "green": 3, "accepted": 2, "rejected": {"no object": 1},
    }  # fmt: skip
    dataset = coco.read(folder / "annotations.json")
    assert [i.file_name for i in dataset.images] == [f"{drawn[0]}.png", f"{drawn[4]}.png"]
    assert {a.bbox for a in dataset.annotations} == {(80, 90, 160, 90)}  # in pixels of the frame, and inside it
    ids = sorted(c.id for c in dataset.categories)
    assert {a.category_id for a in dataset.annotations} == {ids[1]}
    photo.load(folder / "images" / dataset.images[0].file_name, 320, 180)
    for part in ("best", "ungated", "random"):
        assert len(coco.read(folder / part / "annotations.json").images) == 2
    ungated = coco.read(folder / "ungated" / "annotations.json")
    assert {a.bbox for a in ungated.annotations} == {(160, 90, 80, 45)}  # what the judge's detector saw


def test_where_nothing_is_green_nothing_is_accepted(drawn):
    text = (paths.VERDICTS / "wgan_ten.csv").read_text()
    files.write(paths.VERDICTS / "wgan_ten.csv", text.replace("green", "red"))
    accept.main("wgan_ten")
    assert files.read_json(paths.ACCEPTED / "wgan_ten" / "annotations.json")["images"] == []
    assert files.read_json(paths.ACCEPTED / "wgan_ten" / "accepted.json")["accepted"] == 0

import os
import signal
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest
import yaml
from PIL import Image

from stages import files
from stages.dataset import coco, photo, split, yolo, yolo_labels
from stages.problem import Problem


def write(bins, folder, polygons):
    dataset = coco.read(bins / "annotations.json")
    parts = split.PARTS
    places = {part: [i.id for k, i in enumerate(dataset.images) if k % 3 == parts.index(part)] for part in parts}
    yolo.write(dataset, places, bins / "images", folder, 128, polygons)
    return dataset, places


def rows(path):
    return [np.array(line.split(), float) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("polygons", [False, True])
def test_a_whole_dataset(tmp_path, bins, polygons):
    dataset, places = write(bins, tmp_path, polygons)
    layout = yaml.safe_load((tmp_path / "data.yaml").read_text())
    assert layout["names"] == {0: "E", 1: "T", 2: "B", 3: "C", 4: "S"}
    assert "path" not in layout and not layout["train"].startswith("/")
    index = files.read_json(tmp_path / "index.json")
    annotations, numbers = coco.by_image(dataset), coco.class_numbers(dataset)
    assert {part: sum(key.startswith(part) for key in index) for part in split.PARTS} == {
        part: len(ids) for part, ids in places.items()
    }
    for key, id_ in index.items():
        assert Image.open(tmp_path / "images" / f"{key}.png").size == (128, 72)
        found, there = rows(tmp_path / "labels" / f"{key}.txt"), annotations[id_]
        assert [int(row[0]) for row in found] == [numbers[a.category_id] for a in there]
        for row, a in zip(found, there, strict=True):
            assert (len(row) == 5) != polygons
            if polygons:
                points = row[1:].reshape(-1, 2)
                low, high = points.min(0), points.max(0)
            else:
                low, high = row[1:3] - row[3:] / 2, row[1:3] + row[3:] / 2
            x, y, w, h = np.array(a.bbox) / (320, 180, 320, 180)
            assert np.allclose([*low, *high], [x, y, x + w, y + h], atol=0.03 if polygons else 1e-4)
            assert low.min() >= 0 and high.max() <= 1


def test_the_stored_pixels_are_the_photographs(tmp_path, bins):
    dataset, _ = write(bins, tmp_path, False)
    index = {id_: key for key, id_ in files.read_json(tmp_path / "index.json").items()}
    image = dataset.images[4]
    original = photo.load(bins / "images" / image.file_name, image.width, image.height)
    ours = np.asarray(Image.open(tmp_path / "images" / f"{index[image.id]}.png"))
    assert (ours == photo.fit(original, 128)).all()


def test_a_broken_mask_is_named_and_its_worker_does_not_hang(tmp_path, bins):
    dataset = coco.read(bins / "annotations.json")
    dataset.annotations[3].segmentation = coco.msgspec.Raw(b'{"size": [1, 1], "counts": [1]}')
    with pytest.raises(Problem, match=f"annotation {dataset.annotations[3].id}"):
        yolo.write_labels(dataset, True, [("train", str(i.id)) for i in dataset.images], tmp_path / "labels")


def test_a_killed_worker_ends_the_stage(tmp_path, bins, monkeypatch):
    """As one is when the memory runs out; a plain Pool waits for it for ever."""
    monkeypatch.setattr(yolo_labels, "labels", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    dataset = coco.read(bins / "annotations.json")
    with pytest.raises(BrokenProcessPool):
        yolo.write_labels(dataset, True, [("train", str(i.id)) for i in dataset.images], tmp_path / "labels")


def test_where_nobody_kept_images_to_validate_on_a_fifth_of_those_to_train_on_are_these():
    kept = {"train": [1, 2], "val": [3], "test": [4]}
    assert yolo.validated(kept) == kept
    of = yolo.validated({"train": list(range(10)), "val": [], "test": [20]})
    assert of == {"train": [1, 2, 3, 4, 6, 7, 8, 9], "val": [0, 5], "test": [20]}
    assert yolo.validated({"train": [1], "val": [], "test": []})["train"] == [1]

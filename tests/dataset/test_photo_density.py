import json

import numpy as np
import pytest
from PIL import Image

from stages import files
from stages.dataset import arrival, coco, health, photo
from stages.dataset.formats import convert
from stages.problem import Problem

SIDE = 5000  # 25 million pixels in some 3 kB


@pytest.fixture
def huge(tmp_path, monkeypatch):
    """A folder with a picture far larger than its file, in which decoding is an error."""
    (tmp_path / "images").mkdir()
    Image.new("1", (SIDE, SIDE)).save(tmp_path / "images" / "a.png")
    monkeypatch.setattr(Image.Image, "convert", lambda *_: pytest.fail("it was decoded"))
    return tmp_path


def test_a_picture_that_its_file_cannot_hold_is_refused(huge):
    with pytest.raises(photo.Unreadable, match=r"5000×5000 pixels in 3,\d\d\d bytes are no photograph"):
        photo.shown(huge / "images" / "a.png")


def test_plain_and_large_photographs_are_let_through(tmp_path):
    Image.new("RGB", (2000, 2000)).save(tmp_path / "plain.png")
    flat = np.full((3000, 3000, 3), 200, np.uint8)
    Image.fromarray(flat).save(tmp_path / "flat.jpg")
    for name in ("plain.png", "flat.jpg"):
        assert photo.shown(tmp_path / name).any() == (name == "flat.jpg")


def write_coco(folder):
    image = {"id": 1, "file_name": "a.png", "width": SIDE, "height": SIDE}
    (folder / "annotations.json").write_text(json.dumps({"images": [image], "categories": [], "annotations": []}))


def write_voc(folder):
    (folder / "a.xml").write_text("<annotation/>")


def write_cvat(folder):
    image = f'<image id="0" name="a.png" width="{SIDE}" height="{SIDE}"/>'
    (folder / "annotations.xml").write_text(f"<annotations>{image}</annotations>")


@pytest.mark.parametrize("annotate", [
    write_coco, write_voc, write_cvat, lambda folder: (folder / "classes.txt").write_text("can"),
])  # fmt: skip
def test_no_format_lets_it_be_decoded(huge, annotate):
    annotate(huge)
    with pytest.raises(Problem, match="are no photograph"):
        convert.convert(huge, huge / "into")


def test_no_arrival_and_no_dataset_lets_it_be_decoded(huge):
    write_coco(huge)
    with pytest.raises(Problem, match="are no photograph"):
        arrival.read(huge)
    (look,) = health.look(coco.read(huge / "annotations.json"), huge / "images")
    assert look.problem and "are no photograph" in look.problem
    assert not list(huge.glob(f"**/*{files.PART}*"))


def test_a_jpeg_that_draws_its_picture_over_and_over_is_refused(tmp_path):
    Image.new("RGB", (64, 64), (200, 100, 50)).save(tmp_path / "a.jpg", progressive=True)
    whole = (tmp_path / "a.jpg").read_bytes()
    assert photo.shown(tmp_path / "a.jpg").shape == (64, 64, 3)
    last = whole[whole.rindex(photo.SCAN) : -2]
    (tmp_path / "b.jpg").write_bytes(whole[:-2] + last * photo.MOST_SCANS + whole[-2:])
    for look in (photo.shown, lambda path: photo.load(path, 64, 64)):
        with pytest.raises(photo.Unreadable, match=r"a JPEG of \d+ scans is no photograph"):
            look(tmp_path / "b.jpg")

import importlib

import numpy as np
import pytest
from PIL import Image

from stages.dataset import photo

PIXELS = np.zeros((30, 40, 3), np.uint8)
PIXELS[:10, :10] = 255  # a white upper left corner
TURNED = {1: (0, 0), 2: (0, 1), 3: (1, 1), 4: (1, 0), 6: (0, 1), 8: (1, 0)}  # where viewers show it: bottom, right


def stored(tmp_path, tag, name="a.png"):
    exif = Image.Exif()
    exif[photo.ORIENTATION] = tag
    path = tmp_path / name
    Image.fromarray(PIXELS).save(path, exif=exif)
    return path


def corner(pixels):
    half = pixels.shape[0] // 2, pixels.shape[1] // 2
    quarters = [[pixels[:half[0], :half[1]], pixels[:half[0], half[1]:]], [pixels[half[0]:, :half[1]], pixels[half[0]:, half[1]:]]]  # fmt: skip  # noqa: E501
    means = np.array([[q.mean() for q in row] for row in quarters])
    return tuple(int(v) for v in np.unravel_index(means.argmax(), (2, 2)))


@pytest.mark.parametrize("tag", TURNED)
def test_annotated_as_viewers_show_it(tmp_path, tag):
    width, height = (30, 40) if tag in photo.TURNED else (40, 30)
    pixels = photo.load(stored(tmp_path, tag), width, height)
    assert pixels.shape == (height, width, 3)
    assert corner(pixels) == TURNED[tag]


@pytest.mark.parametrize("tag", [6, 8])
def test_annotated_as_it_is_stored(tmp_path, tag):
    """The declared size is the stored one: the annotations were made without the tag."""
    assert (photo.load(stored(tmp_path, tag), 40, 30) == PIXELS).all()


def test_turned_files_are_told(tmp_path):
    assert photo.turned(stored(tmp_path, 6))
    assert not photo.turned(stored(tmp_path, 1, "b.png"))


def test_missing_truncated_foreign_and_wrongly_sized_files_say_so(tmp_path):
    whole = stored(tmp_path, 1).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.png").write_text("not a picture")
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 90, 3), np.uint8)).save(tmp_path / "a.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:2000])
    for name, said in {
        "none.png": "missing",
        "cut.png": "not a whole picture",
        "cut.jpg": "not a whole picture",
        "text.png": "not a whole picture",
        "a.png": "declared 99×30, but the file has 40×30",
    }.items():
        with pytest.raises(photo.Unreadable, match=said) as problem:
            photo.load(tmp_path / name, 99 if name == "a.png" else 90, 30 if name == "a.png" else 90)
        assert name in str(problem.value)


def test_a_foreign_file_says_so_where_the_detector_is_loaded_too(tmp_path):
    importlib.import_module("stages.detector.predict")  # ultralytics puts its own opener in Pillow's place
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(photo.Unreadable, match=r"text\.png: not a whole picture"):
        photo.load(tmp_path / "text.png", 90, 90)
    assert not photo.turned(tmp_path / "text.png")


def test_grey_and_transparent_pictures_become_rgb(tmp_path):
    Image.fromarray(PIXELS).convert("L").save(tmp_path / "l.png")
    Image.fromarray(PIXELS).convert("RGBA").save(tmp_path / "a.png")
    for name in ("l.png", "a.png"):
        assert (photo.load(tmp_path / name, 40, 30) == PIXELS).all()


def test_fit_reduces_and_never_enlarges():
    assert photo.fit(PIXELS, 20).shape == (15, 20, 3)
    assert photo.fit(PIXELS, 400) is PIXELS
    assert photo.fit(np.zeros((1, 500, 3), np.uint8), 100).shape == (1, 100, 3)

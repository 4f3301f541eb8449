import re
from collections import Counter

import pytest
from PIL import Image

from stages import files
from stages.dataset import photo
from stages.evidence import mix
from stages.evidence.mix import Part
from stages.problem import Problem
from tests.helpers.projects import subset


@pytest.fixture
def folders(bins, tmp_path):
    for name, group, count in (("real", "tube_mint", 4), ("fakes", "bottle_azure", 6), ("more", "can_cobalt", 3)):
        subset(bins, group, count, tmp_path / name)
    return tmp_path


def entries(folder, kind="images", part="train"):
    return sorted((folder / kind / part).iterdir())


def test_each_part_has_its_share_of_every_epoch(folders, tmp_path):
    parts = [Part([folders / "real"], 0.3), Part([folders / "fakes", folders / "more"], 0.7, most=5)]
    counts = mix.write(parts, tmp_path / "out", 96, 100, 0)
    assert counts == {str(folders / "real"): 4, str(folders / "fakes"): 3, str(folders / "more"): 2}  # in turn
    times = Counter(files.digest(path) for path in entries(tmp_path / "out"))
    assert sum(times.values()) == 100
    assert sorted(times.values())[:4] == [7, 7, 8, 8]
    assert sorted(times.values())[4:] == [14] * 5


def test_there_are_entries_for_every_image_however_few_an_epoch_draws(folders, tmp_path):
    parts = [Part([folders / "real"], 0.4), Part([folders / "fakes", folders / "more"], 0.6)]
    counts = mix.write(parts, tmp_path / "out", 96, 4, 0)
    assert counts == {str(folders / "real"): 4, str(folders / "fakes"): 6, str(folders / "more"): 3}
    times = Counter(files.digest(path) for path in entries(tmp_path / "out"))
    assert len(times) == 13 and sum(times.values()) == 15


def test_every_image_has_its_label_file(folders, tmp_path):
    mix.write([Part([folders / "real"], 1.0)], tmp_path / "out", 96, 9, 0)
    labels, images = (entries(tmp_path / "out", kind) for kind in ("labels", "images"))
    assert [p.stem for p in labels] == [p.stem for p in images]
    one = {files.digest(i): label.read_text() for i, label in zip(images, labels, strict=True)}
    assert len(one) == len(set(one.values())) == 4
    assert all(re.fullmatch(r"(\d+( [\d.e-]+){6,}\n)+", text) for text in one.values())
    assert len(entries(tmp_path / "out", part="val")) == 4


def test_it_is_the_same_again(folders, tmp_path):
    for name in ("a", "b"):
        mix.write([Part([folders / "real"], 0.5), Part([folders / "fakes"], 0.5)], tmp_path / name, 96, 20, 3)
    assert files.fingerprint(tmp_path / "a") == files.fingerprint(tmp_path / "b")


def test_the_share_of_a_part_without_images_goes_to_the_others(folders, tmp_path):
    empty = folders / "none"
    files.write_json(empty / "annotations.json", {"images": [], "annotations": [], "categories": []})
    counts = mix.write([Part([folders / "real"], 0.3), Part([empty], 0.7)], tmp_path / "out", 96, 10, 0)
    assert counts == {str(folders / "real"): 4}
    assert len(entries(tmp_path / "out")) == 10
    parts = [Part([folders / "real"], 1.0), Part([folders / "fakes"], 0.0)]  # of which nothing is asked
    assert mix.write(parts, tmp_path / "out", 96, 10, 0) == counts
    with pytest.raises(Problem, match="there are no images to train on"):
        mix.write([Part([empty], 1.0)], tmp_path / "out", 96, 10, 0)


def test_images_are_turned_as_they_were_annotated_and_none_takes_anothers_place(hand, tmp_path):
    names = ["a/1.png", "a/1.jpg", "a/2.png"]
    hand([(name, 60, 60) for name in names], [{"bbox": [5, 5, 20, 20], "image_id": k} for k in (1, 2, 3)])
    exif = Image.Exif()
    exif[photo.ORIENTATION] = 3
    for name in names:
        picture = Image.open(tmp_path / "images" / name)
        picture.save(tmp_path / "images" / name, exif=exif)
    shown = [photo.load(tmp_path / "images" / name, 60, 60) for name in names]
    mix.write([Part([tmp_path], 1.0)], tmp_path / "out", 96, 12, 0)
    trained = {path.read_bytes() for path in entries(tmp_path / "out")}
    assert len(trained) == 3
    for pixels in shown:
        photo.save(tmp_path / "as_shown.bmp", pixels)
        assert (tmp_path / "as_shown.bmp").read_bytes() in trained

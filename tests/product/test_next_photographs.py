import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from stages import files, paths
from stages.dataset import photo
from stages.dataset.formats import convert
from stages.evidence.more_photographs import Curve, Step
from stages.evidence.statistics import Interval
from stages.problem import Problem
from stages.product import next_page, next_photographs
from stages.product.detection_doubt import Sighting
from tests.helpers import projects, small_detector

PHOTOS = {"a.png": 0, "b.jpg": 1, "deep/a.png": 2, "deep/c.jpg": 3}  # each with the seed of its noise


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project with a product's detector and photographs, one of which is there twice, in two formats."""
    folder = tmp_path_factory.mktemp("next")
    projects.smoke(folder)
    small_detector.product(folder / paths.RELEASED / "crates", names=("<script>", "瓶"))
    for name, seed in PHOTOS.items():
        photo.save(folder / "mine" / name, small_detector.noise(140, 192, seed))
    photo.save(folder / "mine" / "twice.png", small_detector.noise(140, 192, 3))
    return folder


@pytest.fixture(autouse=True)
def project(made, tmp_path, monkeypatch):
    return projects.entered(made, tmp_path, monkeypatch)


def chosen(photos="mine", count=3, into=None):
    code = next_photographs.main(photos=Path(photos), product="crates", count=count, into=into)
    return code, into or paths.REPORTS / "next" / Path(photos).resolve().name


def test_what_is_chosen_is_proposed_as_coco_that_comes_back(tmp_path, capsys):
    code, folder = chosen()
    assert code == 0
    found = files.read_json(folder / "annotations.json")
    names = [image["file_name"] for image in found["images"]]
    assert len(names) == 3 and sorted(path.name for path in (folder / "images").iterdir()) == sorted(names)
    # What CVAT refuses a file without, and the number that it takes for none.
    assert found["licenses"] and all(box["segmentation"] == [] and box["iscrowd"] == 0 for box in found["annotations"])
    assert [category["id"] for category in found["categories"]] == [1, 2]
    assert COCO(folder / "annotations.json").getAnnIds() and found["annotations"]
    found["annotations"] = found["annotations"][1:]  # a person takes a box away
    found["annotations"][0]["bbox"] = [1, 2, 30, 40]
    files.write_json(folder / "annotations.json", found)
    name, read = convert.read_any(folder)
    assert name == "COCO (annotations.json)" and [place.name for place in read.places] == names
    assert len(read.dataset.annotations) == len(found["annotations"])
    assert read.dataset.annotations[0].bbox == (1, 2, 30, 40)
    assert [category.name for category in read.dataset.categories] == ["<script>", "瓶"]
    convert.convert(folder, tmp_path / "back")
    said = capsys.readouterr().out.splitlines()
    assert [line[:3] for line in said[:3]] == ["1. ", "2. ", "3. "] and "number 1 of 5" in said[0]
    assert any("there is no curve" in line for line in said)


def test_the_same_photographs_are_chosen_again_and_a_near_duplicate_never():
    _, one = chosen(count=9, into=Path("one"))
    _, two = chosen(count=9, into=Path("two"))
    assert (one / "annotations.json").read_bytes() == (two / "annotations.json").read_bytes()
    names = {path.name for path in (one / "images").iterdir()}
    assert len(names) == len(PHOTOS) and len(names & {"deep__c.jpg", "twice.png"}) == 1
    assert {"a.png", "b.jpg", "deep__a.png"} < names
    for path in (one / "images").iterdir():
        assert path.read_bytes() == (Path("mine") / path.name.replace("__", "/")).read_bytes()


def test_the_page_shows_each_with_its_reason_and_runs_nothing():
    _, folder = chosen()
    page = (folder / "page.html").read_text()
    assert page.count("data:image/jpeg") == 3 and "mistakes expected, number 1 of 5" in page
    assert "<script>" not in page and "&lt;script&gt;" in page and "瓶" in page


def test_boxes_lie_where_a_viewer_shows_the_photograph():
    turn = Image.Exif()
    turn[photo.ORIENTATION] = 6
    Path("turned").mkdir()
    Image.fromarray(small_detector.noise(96, 192)).save("turned/t.jpg", exif=turn)
    _, folder = chosen("turned")
    (image,) = files.read_json(folder / "annotations.json")["images"]
    assert (image["width"], image["height"]) == (96, 192)
    assert convert.read_any(folder)[1].dataset.images[0].width == 96


def test_what_cannot_be_read_is_said_and_the_others_are_chosen_from(capsys):
    photo.save(Path("some/good.png"), small_detector.noise(70, 96))
    files.write("some/broken.jpg", "no picture")
    files.write("some/film.mp4", "a film")
    files.write("some/notes.txt", "no photograph")
    code, folder = chosen("some")
    told = capsys.readouterr()
    said = told.err.splitlines()
    assert "Files passed over, by their names no photographs or videos: 1 (1 '.txt')" in told.out
    assert code == 1 and all(sum(name in line for line in said) == 1 for name in ("broken.jpg", "film.mp4"))
    assert [path.name for path in (folder / "images").iterdir()] == ["good.png"]
    shutil.rmtree("some")
    files.write("some/broken.jpg", "no picture")
    with pytest.raises(Problem, match=r"nothing in it can be read; .*broken\.jpg"):
        chosen("some", into=Path("none"))
    assert not Path("none").exists()


def test_names_that_are_not_utf8_are_said_and_the_others_are_chosen_from(capsys):
    photo.save(Path("some/good.png"), small_detector.noise(70, 96))
    shutil.copy("some/good.png", os.fsdecode(b"some/caf\xe9.png"))
    code, folder = chosen("some")
    assert code == 1 and "its name is not UTF-8" in capsys.readouterr().err
    assert [path.name for path in (folder / "images").iterdir()] == ["good.png"]


def test_a_name_with_a_colon_is_chosen_and_one_that_would_leave_its_folder_is_said(capsys):
    for name in ("2024-05-01 10:30:12.png", "c:1.png", "\\1.png"):
        photo.save(Path("some") / name, small_detector.noise(70, 96))
    code, folder = chosen("some")
    assert code == 1 and capsys.readouterr().err.count("leaves its folder") == 2
    assert [path.name for path in (folder / "images").iterdir()] == ["2024-05-01 10:30:12.png"]
    assert convert.read_any(folder)[1].dataset.images[0].file_name == "2024-05-01 10:30:12.png"


def test_what_may_have_been_corrected_is_not_replaced():
    chosen()
    with pytest.raises(Problem, match="may have been corrected"):
        chosen()
    with pytest.raises(Problem, match="among the photographs"):
        chosen(into=Path("mine/found"))
    with pytest.raises(Problem, match="a folder of photographs"):
        chosen("mine/a.png")


def test_reasons_are_in_plain_words():
    box = np.zeros(4)
    sure, partly, unsure = Sighting(box, 0, 0.97, 4), Sighting(box, 0, 0.5, 2), Sighting(box, 0, 0.6, 4)
    doubts = [0.5, 0.9, 0.0, 0.8]
    things = [[sure, partly], [unsure, partly, sure], [], [sure]]
    assert next_page.reasons([1, 0, 2], doubts, things) == [
        "1 thing that only some of its mirrored views show and 1 thing that it is 60 % certain of: 0.9 mistakes "
        "expected, number 1 of 4",
        "1 thing that only some of its mirrored views show: 0.5 mistakes expected, number 3 of 4; taken before 1 in "
        "more doubt, which look more like those above",
        "it finds nothing there: 0.0 mistakes expected, number 4 of 4; taken before 1 in more doubt, which look more "
        "like those above",
    ]
    assert next_page.of_things([sure]) == "nothing that it sees is in doubt"


def test_what_to_expect_is_read_from_the_curve_with_its_interval_and_when_to_stop():
    about = small_detector.product(Path("models/products/other"))
    steps = [Step(5, 10, Interval(0.1, 0.05, 0.2)), Step(10, 20, Interval(0.02, -0.01, 0.04))]
    curve = Curve(steps, ["crate", "box"], 0.05)
    about.trained_on = {"photographs": [f"{k}.png" for k in range(10)]}
    said = " ".join(next_page.expected(about, 10, curve))
    assert "number 11 is expected to bring +0.003 (-0.001 to +0.006)".replace(" (", " (") in said.replace(
        " mAP50-95", ""
    )
    assert "these 10 together +0.020 (-0.010 to +0.040)" in said and "of crate, box" in said
    assert "holds 0" in said and "less than 0.050" in said and f"with {curve.enough(10)} photographs" in said
    for count, word in ((2, "fewer"), (40, "more")):
        about.trained_on = {"photographs": [f"{k}.png" for k in range(count)]}
        assert f"that is {word} than" in " ".join(next_page.expected(about, 10, curve))

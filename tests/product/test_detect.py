import os
import shutil
import subprocess
import sys
import weakref
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from stages import drawing, files, paths
from stages.dataset import photo
from stages.detector import predict
from stages.problem import Problem
from stages.product import card, detect, pictures
from tests.helpers import projects, small_detector
from tests.helpers.checkouts import ROOT, environment

SHAPES = {"a.png": (70, 96), "b.jpg": (140, 192), "deep/c.png": (96, 64), "b.png": (70, 96)}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a product's detector and photographs of several shapes and kinds."""
    folder = tmp_path_factory.mktemp("detect")
    small_detector.product(folder / paths.RELEASED / "crates")
    for number, (name, (height, width)) in enumerate(SHAPES.items()):
        photo.save(folder / "mine" / name, small_detector.noise(height, width, number))
    files.write(folder / "mine" / "notes.txt", "no photograph")
    return folder


@pytest.fixture(autouse=True)
def there(made, monkeypatch):
    monkeypatch.chdir(made)


def looked(photos, at="0.5", into=None):
    return detect.main(photos=Path(photos), product="crates", at=at, into=into)


def results(name):
    folder = paths.DETECTIONS / name
    return folder, files.read_json(folder / "images.json"), files.read_json(folder / "detections.json")


def test_detections_are_coco_results_and_what_the_detector_sees(capsys):
    assert looked("mine", at="0.3") == 0
    folder, images, detections = results("mine")
    assert [image["file_name"] for image in images["images"]] == ["a.png", "b.jpg", "b.png", "deep/c.png"]
    assert COCO(folder / "images.json").loadRes(str(folder / "detections.json")).getAnnIds()
    assert {row["image_id"] for row in detections} == {1, 2, 3, 4}
    about = card.read(paths.RELEASED / "crates")
    for image in images["images"]:
        pixels = photo.shown(Path("mine") / image["file_name"])
        assert (image["height"], image["width"]) == pixels.shape[:2]
        small = photo.fit(pixels, about.imgsz)
        (alone,) = predict.predict(paths.RELEASED / "crates" / card.WEIGHTS, [small], about.imgsz)
        expected = alone[alone[:, 4] >= 0.3]
        mine = [row for row in detections if row["image_id"] == image["id"]]
        assert len(mine) == len(expected)
        scaled = expected[:, :4] * (image["width"], image["height"], image["width"], image["height"])
        assert np.abs(scaled - [row["bbox"] for row in mine]).max() < 0.01
        assert [row["category_id"] for row in mine] == [about.classes[int(k)].id for k in expected[:, 5]]
        assert [row["score"] for row in mine] == pytest.approx(expected[:, 4], abs=1e-4)
        certain = about.calibration.certainty(expected[:, 4])
        assert [row["certainty"] for row in mine] == pytest.approx(certain, abs=1e-4)
    assert f"{len(images['images'])} pictures" in capsys.readouterr().out


def test_copies_have_boxes_and_photographs_stay_as_they_are():
    before = files.fingerprint(Path("mine"))
    looked("mine")
    copies = paths.DETECTIONS / "mine" / "pictures"
    there = sorted(str(path.relative_to(copies)) for path in copies.rglob("*.jpg"))
    assert there == ["a.jpg", "b.jpg.jpg", "b.png.jpg", "deep/c.jpg"]  # two would both be b.jpg
    plain, drawn = photo.shown(Path("mine/a.png")).astype(int), photo.shown(copies / "a.jpg").astype(int)
    assert plain.shape == drawn.shape and np.abs(plain - drawn).max() > 60
    assert files.fingerprint(Path("mine")) == before


def test_no_copy_has_the_name_of_another_s_or_of_a_folder_or_too_long_a_one(tmp_path):
    names = [
        "a.jpg",
        "a.png",
        "a.png.jpg",
        "b.png",
        "b.jpg/c.png",
        f"{'ä' * 124}.png",
        f"{'ä' * 124}.bmp",
        "d.avi",
        "D.PNG",
    ]
    copies = detect.copies([Path(name) for name in names])
    assert list(map(str, copies)) == names
    there = [str(copy) for copy in copies.values()]
    assert len({name.lower() for name in there}) == len(names) and "b.jpg" not in there
    assert there[-2:] == ["d.avi.mp4", "D.jpg"]
    for copy in copies.values():
        files.write(tmp_path / copy, "x")


def filmed(name, frames, rate=10, width=96):
    film = cv2.VideoWriter(name, cv2.VideoWriter.fourcc(*"MJPG"), rate, (width, 64))
    for number in range(frames):
        film.write(small_detector.noise(64, width, number % 3))
    film.release()
    return Path(name)


def test_a_video_too_wide_to_be_copied_is_told_of(capsys):
    filmed("wide.avi", 1, width=8200)
    assert looked("wide.avi") == 1
    assert "MPEG-4 has no frames of 8200×64 at 10 a second" in capsys.readouterr().err
    assert len(results("wide")[1]["images"]) == 1


def test_a_photograph_too_wide_to_be_copied_is_told_of_and_the_others_are_looked_at(capsys):
    photo.save(Path("panorama/a.png"), small_detector.noise(16, 70_000))
    photo.save(Path("panorama/b.png"), small_detector.noise(70, 96))
    assert looked("panorama") == 1
    assert "a.png: JPEG has no pictures of 70000×16: no copy" in capsys.readouterr().err
    folder, images, _ = results("panorama")
    assert [image["file_name"] for image in images["images"]] == ["a.png", "b.png"]
    assert [path.name for path in (folder / "pictures").iterdir()] == ["b.jpg"]


def test_what_cannot_be_read_is_said_and_the_others_are_looked_at(capsys):
    broken = Path("some")
    photo.save(broken / "good.png", small_detector.noise(70, 96))
    files.write(broken / "cut.jpg", cv2.imencode(".jpg", small_detector.noise(200, 200))[1].tobytes()[:2000])
    files.write(broken / "no.heic", "not a picture")
    files.write(broken / "film.mp4", "not a video")
    assert looked("some") == 1
    said = capsys.readouterr().err
    assert all(sum(name in line for line in said.splitlines()) == 1 for name in ("cut.jpg", "no.heic", "film.mp4"))
    assert [image["file_name"] for image in results("some")[1]["images"]] == ["good.png"]
    with pytest.raises(Problem, match=r"nothing in it can be read; .*cut\.jpg"):
        looked("some/cut.jpg")
    assert not (paths.DETECTIONS / "cut").exists()


def test_every_kind_of_photograph_is_looked_at_hidden_ones_are_not_and_others_are_counted(capsys):
    kinds = ("a.ppm", "b.jp2", "c.JPE", "d.jfif")
    for name in (*kinds, "._a.png", "__MACOSX/a.png"):
        Path("kinds", name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(small_detector.noise(70, 96)).save(Path("kinds", name))
    for name in ("notes.txt", "more.TXT", "README", "._notes.txt", os.fsdecode(b"a.\xff")):
        Path("kinds", name).write_bytes(b"no photograph")
    for number, kind in enumerate(("mpg", "mpeg", "wmv", "mts", "3gp")):
        Path("kinds", f"{number}.{kind}").write_bytes(b"no video")
    assert looked("kinds") == 1
    said = capsys.readouterr()
    assert said.err.count("not a video that can be read") == 5
    assert [image["file_name"] for image in results("kinds")[1]["images"]] == list(kinds)
    assert "Files passed over, by their names no photographs or videos: 4 (2 '.txt'," in said.out
    looked("mine/a.png")
    assert "passed over" not in capsys.readouterr().out


def test_names_of_any_kind_are_told_in_a_line_each(capsys):
    photo.save(Path("odd/good.png"), small_detector.noise(70, 96))
    Path("odd/good.png").with_name("a\nb.mp4").write_bytes(b"not a video")
    Path(os.fsdecode(b"odd/\xff.png")).write_bytes(Path("odd/good.png").read_bytes())
    assert looked("odd") == 1
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("tenfold: ")]
    assert sorted(line.rpartition(": ")[2] for line in said) == [
        "its name is not UTF-8, as JSON has to be; rename it", "not a video that can be read",
    ]  # fmt: skip
    assert [image["file_name"] for image in results("odd")[1]["images"]] == ["good.png"]


def test_a_picture_that_its_file_cannot_hold_is_not_decoded(capsys):
    photo.save(Path("bomb/good.png"), small_detector.noise(70, 96))
    Image.new("1", (5000, 5000)).save("bomb/huge.png")
    assert looked("bomb") == 1
    assert "huge.png: 5000×5000 pixels" in capsys.readouterr().err


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:5000])])
def test_a_detector_that_is_not_there_or_half_is_one_line(made, tmp_path, monkeypatch, spoil):
    projects.entered(made, tmp_path, monkeypatch)
    spoil(paths.RELEASED / "crates" / card.WEIGHTS)
    with pytest.raises(Problem, match=r"detector\.pt"):
        looked("mine")


def test_of_large_photographs_one_at_a_time_is_in_memory(monkeypatch):
    alive, most = 0, 0
    shown = photo.shown

    def count(path):
        nonlocal alive, most
        pixels = shown(path)
        alive, most = alive + 1, max(most, alive + 1)
        weakref.finalize(pixels, gone)
        return pixels

    def gone():
        nonlocal alive
        alive -= 1

    monkeypatch.setattr(photo, "shown", count)
    monkeypatch.setattr(pictures, "LARGE", 1000)
    for number in range(12):
        photo.save(Path(f"large/{number}.png"), small_detector.noise(70, 96))
    assert looked("large") == 0
    assert len(results("large")[1]["images"]) == 12 and most <= 4  # of read, looked at, drawn, written


def test_a_photograph_is_looked_at_as_a_viewer_shows_it():
    turn = Image.Exif()
    turn[photo.ORIENTATION] = 6
    Image.fromarray(small_detector.noise(60, 90)).save("turned.jpg", exif=turn)
    looked("turned.jpg")
    (image,) = results("turned")[1]["images"]
    assert (image["width"], image["height"]) == (60, 90)


def test_a_video_is_looked_at_frame_by_frame():
    filmed("belt.avi", 11)
    assert looked("belt.avi") == 0
    folder, images, detections = results("belt")
    assert [image["frame"] for image in images["images"]] == list(range(11)) and detections
    film = cv2.VideoCapture(str(folder / "pictures" / "belt.avi.mp4"))
    assert (film.get(cv2.CAP_PROP_FRAME_COUNT), film.get(cv2.CAP_PROP_FPS)) == (11, 10)


def test_of_a_cut_video_is_told_how_much_was_looked_at(capsys):
    whole = filmed("whole.avi", 60).read_bytes()
    Path("half.avi").write_bytes(whole[: len(whole) // 2])
    assert looked("half.avi") == 1
    seen = len(results("half")[1]["images"])
    assert 0 < seen < 40
    assert f"half.avi: cut or damaged: of its 60 frames {seen} can be read" in capsys.readouterr().err


def test_a_copy_has_a_rate_that_mpeg_4_can_write():
    filmed("slow_motion.avi", 3, rate=239.873)
    assert looked("slow_motion.avi") == 0
    film = cv2.VideoCapture(str(results("slow_motion")[0] / "pictures" / "slow_motion.avi.mp4"))
    assert film.get(cv2.CAP_PROP_FPS) == pytest.approx(239.9)


def test_only_earlier_results_are_replaced():
    files.write("precious/thesis.txt", "mine")
    for into in ("precious", "precious/thesis.txt", "mine/found"):
        with pytest.raises(Problem):
            looked("mine/a.png" if into != "mine/found" else "mine", into=Path(into))
    assert Path("precious/thesis.txt").read_text() == "mine"
    looked("mine/a.png", into=Path("again"))
    looked("mine/b.png", into=Path("again"))
    assert [image["file_name"] for image in files.read_json("again/images.json")["images"]] == ["b.png"]


def test_results_of_other_photographs_of_the_same_name_are_kept():
    for day in ("monday", "tuesday"):
        shutil.copytree("mine", f"{day}/shelf")
    looked("monday/shelf")
    looked("monday/shelf")
    with pytest.raises(Problem, match=r"reports/detections/shelf: results of other photographs are there"):
        looked("tuesday/shelf")
    looked("tuesday/shelf", into=Path("found"))
    assert Path("found/images.json").exists()


@pytest.mark.parametrize(
    ("photos", "into", "says"),
    [
        ("project/new", "project", "the photographs in project/new cannot lie in the results' folder"),
        ("project/new/a.png", "project/new", "cannot lie in the results' folder"),
        ("mine", "project", r"something else \(new\)"),
        ("mine", "copies", r"something else \(pictures\)"),  # which nothing says are the results' own
    ],
)
def test_photographs_beside_or_around_the_results_outlive_them(made, tmp_path, monkeypatch, photos, into, says):
    projects.entered(made, tmp_path, monkeypatch)
    looked("mine/a.png", into=Path("project"))  # a project's folder has results in it
    photo.save(Path("project/new/a.png"), small_detector.noise(70, 96))
    photo.save(Path("copies/pictures/a.png"), small_detector.noise(70, 96))
    with pytest.raises(Problem, match=says):
        looked(photos, into=Path(into))
    assert Path("project/new/a.png").exists() and Path("copies/pictures/a.png").exists()


def test_a_threshold_of_the_card_or_a_number_says_what_counts():
    about = card.read(paths.RELEASED / "crates")
    assert detect.threshold(about, "precision") == 0.2
    assert detect.threshold(about, "recall") == about.confidence  # it was not to be had
    assert detect.threshold(about, "0.7") == 0.7


def test_a_class_whose_name_cannot_be_drawn_is_drawn_as_its_number():
    about = small_detector.product(Path("models/products/other"), names=("<script>", "瓶"))
    pixels = small_detector.noise(70, 96)
    seen = np.array([[4, 20, 30, 30, 0.9, 1.0]])
    assert (detect.annotated(pixels.copy(), seen, about)[..., ::-1] != pixels).any()
    assert drawing.printable("瓶", 1) == "class 1"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "nowhere: there is no such file or folder"),
        (["models"], "there are no photographs or videos in it"),
        (["mine", "--product", "shoe"], "name one that is there, PRODUCT=crates"),
        (["mine", "--product", "../x"], "leaves its folder"),
        (["mine", "--at", "2"], "'2' is neither precision nor recall nor between 0 and 1"),
    ],
)
def test_a_mistake_is_one_line_without_importing_what_takes_seconds(made, arguments, says):
    code = (
        "import sys, runpy, atexit\n"
        "atexit.register(lambda: print({'torch', 'ultralytics'} & sys.modules.keys() or 'light'))\n"
        "sys.argv = ['detect', *sys.argv[1:]]\n"
        "runpy.run_module('stages.product.detect', run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=made, env=environment(ROOT),
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 2 and says in done.stderr.splitlines()[-1], done.stderr
    assert done.stdout == "light\n"

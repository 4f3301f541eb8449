import pytest
from PIL import Image

from stages.dataset import arrival, coco
from stages.dataset.formats import convert
from tests.helpers.exports import CUPS, FLAT, SIZES, YOLO, converted, put, yolo_text


def test_without_a_label_file_there_is_no_object(tmp_path):
    convert.convert(put(tmp_path / "from", YOLO | {"1.txt": yolo_text("1.png")}, FLAT), tmp_path / "into")
    dataset = coco.read(tmp_path / "into" / "annotations.json")
    assert [len(of) for of in coco.by_image(dataset).values()] == [2, 0]


def test_yolo_means_the_photograph_as_a_viewer_shows_it(tmp_path):
    folder = put(tmp_path / "from", YOLO | {"2.txt": yolo_text("2.png")}, FLAT)
    with Image.open(folder / "2.png") as picture:
        exif = picture.getexif()
        exif[0x0112] = 6  # a quarter turn
        picture.rotate(90, expand=True).save(folder / "2.png", exif=exif)
    convert.convert(folder, tmp_path / "into")
    dataset = arrival.read(tmp_path / "into")
    assert (dataset.images[1].width, dataset.images[1].height) == SIZES["2.png"]
    assert dataset.annotations[0].bbox == pytest.approx(CUPS["2.png"], abs=0.002)


def test_a_line_of_names_ends_where_an_editor_ends_it(tmp_path):
    """Python would end it at U+2028, too, and all numbers after it would mean another class."""
    put(tmp_path / "from", {"classes.txt": "ca\u2028n\r\ncup\r\n", "1.txt": "1 0.5 0.5 0.1 0.1"}, FLAT)
    convert.convert(tmp_path / "from", tmp_path / "into")
    dataset = coco.read(tmp_path / "into" / "annotations.json")
    assert coco.class_names(dataset) == ["ca\u2028n", "cup"]
    assert [a.category_id for a in dataset.annotations] == [dataset.categories[1].id]


NAMES = "names: [can, cup]\n"


@pytest.mark.parametrize("texts", [
    {"data.yaml": f"{NAMES}val: a\ntest: b\n"},
    {"data.yaml": f"{NAMES}test: b\n"},
    {"data.yaml": NAMES, "test.txt": "b/2.png\n"},
    {"data.yaml": f"{NAMES}test: b\n", "train.txt": "a/1.png\n"},
])  # fmt: skip
def test_yolo_s_photographs_for_tests_are_tested_on_whatever_else_is_named(tmp_path, texts):
    dataset = converted(tmp_path, texts, ("a/1.png", "b/2.png"))
    assert [(image.file_name, image.split) for image in dataset.images] == [("a/1.png", None), ("b/2.png", "test")]


def test_yolo_s_photographs_in_a_folder_for_tests_are_tested_on_whatever_part_names_it(tmp_path):
    dataset = converted(tmp_path, {"data.yaml": f"{NAMES}train: .\n"}, ("1.png", "images/test/2.png"))
    assert [(image.file_name, image.split) for image in dataset.images] == [("1.png", None), ("2.png", "test")]

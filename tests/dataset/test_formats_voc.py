import time

import pytest

from stages.dataset import segmentation
from stages.problem import Problem
from tests.helpers.exports import SIZES, converted, voc_text


@pytest.fixture
def tested(tmp_path):
    """The names of the photographs that are for testing only, where a list says so: `tested(list, names, folder)`."""

    def ask(names, photographs=("a b", "c"), folder=""):
        texts, pictures = {f"{folder}ImageSets/Main/test.txt": names}, {}
        for name, like in zip(photographs, SIZES, strict=True):
            texts[f"{folder}Annotations/{name}.xml"] = voc_text(like).replace(like, f"{name}.png")
            pictures[f"{folder}JPEGImages/{name}.png"] = like
        dataset = converted(tmp_path, texts, pictures)
        return [image.file_name for image in dataset.images if image.split == "test"]

    return ask


LINES = {
    "a space": "a b\n", "in quotes": '"a b"\n', "a suffix": "a b.PNG\n", "of a class": "a b  -1\n",
    "a mark": b"\xef\xbb\xbfa b\r\n", "a folder": "JPEGImages/a b.png\n\n",
}  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_voc_s_list_of_photographs_for_tests_may_be_written_in_many_ways(tested, line):
    assert tested(LINES[line]) == ["a b.png"]


def test_voc_s_list_is_found_in_the_folder_that_the_original_is_unpacked_to(tested):
    assert tested("c\n", folder="VOCdevkit/VOC2007/") == ["VOCdevkit/VOC2007/JPEGImages/c.png"]


def test_a_name_in_voc_s_list_stands_for_what_it_says_first(tested):
    assert tested("c 1\n", ("c", "c 1")) == ["c 1.png"]


@pytest.mark.parametrize(("line", "says"), [
    ("c\nzzz\n", r"test\.txt:2: there is no photograph zzz"),
    ("c.v2\n", r"test\.txt:1: there is no photograph c\.v2"),
    ("../c\n", r"test\.txt:1: the file name '\.\./c' leaves its folder"),
    ("c\n".encode("utf-16"), r"test\.txt: not a text in UTF-8"),
])  # fmt: skip
def test_a_list_of_voc_s_that_cannot_be_followed_is_one_line(tested, line, says):
    with pytest.raises(Problem, match=says):
        tested(line)


def test_a_list_of_voc_s_with_many_spaces_is_read_in_no_time(tested):
    began = time.process_time()
    with pytest.raises(Problem, match=r"test\.txt:1: the file name .* is longer than"):
        tested("c" + " " * 30_000 + "x\n")
    assert time.process_time() - began < 3  # seconds, of which reading took more than ten


def test_a_box_that_cvat_turned_is_the_outline_of_its_corners(tmp_path):
    said = "<attributes><attribute><name>%s</name><value>%s</value></attribute></attributes></object>"
    text = voc_text("2.png").replace("</object>", said % ("rotation", "90.0"))
    other = voc_text("1.png").replace("</object>", said % ("colour", "red"))
    dataset = converted(tmp_path, {"1.xml": other, "2.xml": text})
    assert [len(segmentation.polygons(of, *SIZES["1.png"])) for of in dataset.annotations] == [0, 0, 1]
    assert dataset.annotations[2].bbox == pytest.approx((-8, 19, 30, 12))

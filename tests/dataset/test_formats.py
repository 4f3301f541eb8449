"""The same two photographs in every format's layouts, and what is wrong with a folder, in one line."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

from stages.dataset import arrival, coco, segmentation
from stages.dataset.formats import convert
from stages.problem import Problem
from tests.helpers.exports import (
    CAN,
    FLAT,
    INSIDE,
    SIZES,
    THINGS,
    YOLO,
    as_coco,
    converted,
    cvat_text,
    put,
    voc_text,
    yolo_text,
    yolo_texts,
)

SPLIT = ("images/train/1.png", "images/test/2.png")
ROBOFLOW = ("train/images/1.png", "test/images/2.png")
DARKNET = ("obj_train_data/1.png", "obj_test_data/2.png")
BOTH_VOC = {"Annotations/1.xml": voc_text("1.png"), "Annotations/2.xml": voc_text("2.png")}

# Files, photographs, format, and whether the second photograph is for testing only.
LAYOUTS = {
    "coco": ({"annotations.json": as_coco()}, INSIDE, "COCO", False),
    "coco of any name": ({"mine.json": as_coco(), "notes.json": {"categories": []}}, FLAT, "COCO", False),
    "coco, cvat": ({"annotations/instances_default.json": as_coco()}, INSIDE, "COCO", False),
    "coco, cvat, split": (
        {f"annotations/instances_{p}.json": as_coco([n]) for p, n in (("train", "1.png"), ("test", "2.png"))},
        SPLIT, "COCO", True,
    ),
    "coco, label studio": ({"result.json": as_coco(prefix="images/")}, INSIDE, "COCO", False),
    "coco, label studio on windows": ({"result.json": as_coco(prefix="images\\")}, INSIDE, "COCO", False),
    "coco, test folder": (
        {"annotations.json": as_coco(["1.png"]), "test/annotations.json": as_coco(["2.png"])},
        ("images/1.png", "test/images/2.png"), "COCO", True,
    ),
    "coco, in capitals": (
        {f"{p}/_annotations.coco.json": as_coco([n]) for p, n in (("Train", "1.png"), ("Test", "2.png"))},
        ("Train/1.png", "Test/2.png"), "COCO", True,
    ),
    "coco, validation": (
        {f"{p}/_annotations.coco.json": as_coco([n]) for p, n in (("train", "1.png"), ("validation", "2.png"))},
        ("train/1.png", "validation/2.png"), "COCO", False,
    ),
    "coco, roboflow": (
        {f"{p}/_annotations.coco.json": as_coco([n]) for p, n in (("train", "1.png"), ("test", "2.png"))},
        ("train/1.png", "test/2.png"), "COCO", True,
    ),
    "yolo, ultralytics": (
        {"data.yaml": "path: ../elsewhere\ntrain: images/train\nval: images/train\ntest: images/test\n"
         "names:\n  0: can\n  1: cup\n", **yolo_texts("labels/train", "labels/test")},
        SPLIT, "YOLO", True,
    ),
    "yolo, names alone": ({"my.yaml": "names: [can, cup]", **yolo_texts("labels/train", "labels/test")},
                          SPLIT, "YOLO", True),
    "yolo, label studio": ({"classes.txt": "can\ncup\n", "notes.json": {"categories": []},
                            **yolo_texts("labels", "labels")}, INSIDE, "YOLO", False),
    "yolo, labelimg": ({"labels/classes.txt": "can\ncup\n", **yolo_texts("labels", "labels")}, INSIDE, "YOLO", False),
    "yolo, cvat": (
        {"obj.names": "can\ncup\n", "obj.data": "classes = 2\n", "train.txt": "data/obj_train_data/1.png\n",
         "test.txt": "data/obj_test_data/2.png\n", **yolo_texts("obj_train_data", "obj_test_data")},
        DARKNET, "YOLO", True,
    ),
    "yolo, cvat, in capitals": (
        {"obj.names": "can\ncup\n", "train.txt": "data/obj_train_data/1.png\n",
         "Test.txt": "data/obj_Test_data/2.png\n", **yolo_texts("obj_train_data", "obj_Test_data")},
        ("obj_train_data/1.png", "obj_Test_data/2.png"), "YOLO", True,
    ),
    "yolo, test left blank": (
        {"data.yaml": "train: images/train\nval: images/train\ntest: # optional\nnames: [can, cup]\n",
         **yolo_texts("labels/train", "labels/test")},
        SPLIT, "YOLO", True,
    ),
    "yolo, valid": (
        {"data.yaml": "train: train/images\nvalid: valid/images\nnames: [can, cup]\n",
         **yolo_texts("train/labels", "valid/labels")},
        ("train/images/1.png", "valid/images/2.png"), "YOLO", False,
    ),
    "yolo, roboflow": (
        {"data.yaml": "train: ../train/images\nval: ../train/images\ntest: ../test/images\nnames: ['can', 'cup']\n",
         "README.roboflow.txt": "exported", **yolo_texts("train/labels", "test/labels")},
        ROBOFLOW, "YOLO", True,
    ),
    "yolo, names twice": ({"data.yaml": b"\xef\xbb\xbfnames: [can, cup]", "classes.txt": "can\ncup\n",
                           **yolo_texts(".", ".")}, FLAT, "YOLO", False),
    "yolo, in capitals": (
        {"classes.txt": "can\ncup\n", "Labels/1.TXT": yolo_text("1.png"), "Labels/2.Txt": yolo_text("2.png"),
         "docs/README.txt": "exported"},
        ("Images/1.png", "Images/2.png"), "YOLO", False,
    ),
    "yolo, beside": ({"classes.txt": "can\ncup\n", **yolo_texts(".", ".")}, FLAT, "YOLO", False),
    "voc": (BOTH_VOC | {"ImageSets/Main/test.txt": "2\n"}, ("JPEGImages/1.png", "JPEGImages/2.png"),
            "Pascal VOC", True),
    "voc, cvat": (BOTH_VOC | {"ImageSets/Main/Test.txt": "2\n"}, ("JPEGImages/1.png", "JPEGImages/2.png"),
                  "Pascal VOC", True),
    "voc, beside": ({"1.xml": voc_text("1.png"), "2.xml": voc_text("2.png")}, FLAT, "Pascal VOC", False),
    "voc, in capitals": ({"1.XML": voc_text("1.png"), "2.xml": voc_text("2.png")}, FLAT, "Pascal VOC", False),
    "voc, test folder": ({"1.xml": voc_text("1.png"), "test/2.xml": voc_text("2.png")}, ("1.png", "test/2.png"),
                         "Pascal VOC", True),
    "cvat": ({"annotations.xml": cvat_text()}, INSIDE, "CVAT for images", False),
    "cvat, test folder": (
        {"annotations.xml": cvat_text(names=["1.png"]), "test/annotations.xml": cvat_text(names=["2.png"])},
        ("images/1.png", "test/images/2.png"), "CVAT for images", True,
    ),
    "cvat, in capitals": (
        {"Train/annotations.xml": cvat_text(names=["1.png"]), "Test/annotations.xml": cvat_text(names=["2.png"])},
        ("Train/1.png", "Test/images/2.png"), "CVAT for images", True,
    ),
    "cvat, a part of another name": (
        {"annotations.xml": cvat_text().replace('name="2', 'subset="test_2" name="2')},
        INSIDE, "CVAT for images", True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_photographs_are_the_same_coco_in_every_layout(tmp_path, layout):
    texts, photographs, name, tested = LAYOUTS[layout]
    said = convert.convert(put(tmp_path / "from", texts, photographs), tmp_path / "into")
    dataset = arrival.read(tmp_path / "into")
    counts = f"2 photographs ({int(tested)} of them for testing only) with 3 objects of 2 classes"
    assert re.fullmatch(rf"{name} \(.+\): {re.escape(counts)}", said)
    assert [(i.file_name, i.width, i.height) for i in dataset.images] == [(n, *SIZES[n]) for n in SIZES]
    assert [i.split for i in dataset.images] == [None, "test" if tested else None]
    labels = {c.id: c.name for c in dataset.categories}
    names = {i.id: i.file_name for i in dataset.images}
    things = sorted((names[a.image_id], labels[a.category_id], a) for a in dataset.annotations)
    assert [thing[:2] for thing in things] == [thing[:2] for thing in THINGS]
    for (*_, annotation), (*_, box) in zip(things, THINGS, strict=True):
        assert annotation.bbox == pytest.approx(box, abs=0.002)
    if name != "Pascal VOC":
        (outline,) = segmentation.polygons(things[0][2], *SIZES["1.png"])
        assert outline == pytest.approx(np.array(CAN), abs=0.002)


BOMB = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;&x;">]><annotation><filename>&y;</filename></annotation>'


def voc_with(old, new):
    return {"1.xml": voc_text("1.png").replace(old, new, 1), "2.xml": voc_text("2.png")}


def cvat_with(old, new):
    return {"annotations.xml": cvat_text().replace(old, new, 1)}


# Files, and what the line says; the photographs 1.png and 2.png lie beside them.
WRONG = {
    "nothing": ({}, "no annotations found; looked for COCO (annotations.json", "YOLO (", "Pascal VOC (", "CVAT for im"),
    "labels without names": (yolo_texts(".", "."), "no annotations found", "classes.txt"),
    "two formats": ({"annotations.json": as_coco(), **YOLO}, "COCO (annotations.json) and YOLO (classes.txt)"),
    "two coco files": ({"a.json": as_coco(), "b.json": as_coco()}, "a.json, b.json: which is it?"),
    "two usual coco files": ({"annotations.json": as_coco(), "result.json": as_coco()}, "result.json: which is it?"),
    "two lists of names": ({"a.yaml": "names: [a]", "b.yml": "names: [a]"}, "a.yaml, b.yml"),
    "lists of names that differ": (
        YOLO | {"labels/classes.txt": "cup\ncan\n"}, "labels/classes.txt names other classes than classes.txt, or"),
    "names in another order": (
        YOLO | {"data.yaml": b"\xef\xbb\xbfnames: {0: cup, 1: can}"}, "classes.txt names other classes than data.yaml"),
    "coco: broken": ({"annotations.json": "{"}, "annotations.json: not JSON"),
    "coco: nothing in it": ({"annotations.json": ""}, "annotations.json: the file is empty"),
    "coco: out of the folder": ({"result.json": as_coco(prefix="images\\..\\..\\")}, "image 7", "leaves its folder"),
    "coco: a photograph is missing": ({"result.json": as_coco(prefix="a/")}, "image 7: a/1.png is missing"),
    "coco: shares": (
        {"annotations.json": as_coco() | {"annotations": [
            {"id": k, "image_id": 7, "category_id": 20, "bbox": box}
            for k, box in enumerate([[.1, .1, .9, .9], [0] * 4])
        ]}}, "annotations.json: its boxes are shares of the picture, from 0 to 1; pixels are needed",
    ),
    "coco: far away": (
        {"annotations.json": as_coco() | {"annotations": [
            {"id": 5, "image_id": 7, "category_id": 20, "bbox": [1, 1, 5, -1e308]}
        ]}}, "annotations.json: annotation 5: its box (1.0, 1.0, 5.0, -1e+308) is in no photograph",
    ),
    "yolo: beyond the frame": (YOLO | {"1.txt": "0 0.5 0.5 0.1 0.1\n0 0.5 1.5 0.1 0.1"}, "1.txt:2: 1.5 is not"),
    "yolo: not a number": (YOLO | {"1.txt": "0 nan 0.5 0.1 0.1"}, "1.txt:1: nan is not from 0 to 1"),
    "yolo: infinite": (YOLO | {"1.txt": "0 -inf 0.5 0.1 0.1"}, "1.txt:1: -inf is not"),
    "yolo: a word": (YOLO | {"1.txt": "cup 0.5 0.5 0.1 0.1"}, "1.txt:1: a line is a class's number"),
    "yolo: a class without a name": (YOLO | {"1.txt": "2 0.5 0.5 0.1 0.1"}, "1.txt:1: no class has the number 2"),
    "yolo: minus one": (YOLO | {"1.txt": "-1 0.5 0.5 0.1 0.1"}, "1.txt:1: no class has the number -1"),
    "yolo: a prediction": (YOLO | {"1.txt": "1 0.5 0.5 0.1 0.1 0.9"}, "1.txt:1: 5 numbers after the class"),
    "yolo: an odd outline": (YOLO | {"1.txt": "1 0 0 0 1 1 1 0.5"}, "1.txt:1: 7 numbers after the class"),
    "yolo: no text": (YOLO | {"1.txt": b"0 0.5 \xff"}, "1.txt: not a text in UTF-8"),
    "yolo: no photograph": (YOLO | {"3.txt": ""}, "3.txt: there is no photograph of this name"),
    "yolo: elsewhere than labels": (YOLO | {"annotations/1.txt": ""}, "annotations/1.txt: it is called like a photogr"),
    "yolo: names are no names": ({"data.yaml": "names: {a: 1}"}, "data.yaml: Expected `int`"),
    "yolo: not yaml": ({"data.yaml": "names: [a\n"}, "data.yaml is not YAML: "),
    "yolo: nested": ({"data.yaml": "names: " + "[" * 100_000}, "data.yaml is nested too deeply"),
    "yolo: a name twice": ({"classes.txt": "a\na"}, "two categories have the name 'a'"),
    "yolo: a name is missing": ({"classes.txt": "a\n\nb\n\n"}, "classes.txt: line 2 is empty"),
    "yolo: no names": ({"classes.txt": "\n"}, "classes.txt: it names no class"),
    "yolo: key points": ({"data.yaml": "names: [a]\nkpt_shape: [17, 3]"}, "data.yaml: its labels are key points"),
    "yolo: out of the folder": ({"data.yaml": "names: [a]\ntrain: ../../other"}, "yaml: train", "leaves its folder"),
    "yolo: elsewhere": ({"data.yaml": "names: [a]\ntrain: /data/images"}, "data.yaml: train", "leaves its folder"),
    "yolo: an empty part": (YOLO | {"train.txt": "\n"}, "there are no images in it"),
    "yolo: no such part": ({"data.yaml": "names: [a]\ntrain: .\nval: val"}, "data.yaml: val: val is missing"),
    "yolo: a line out of the folder": (YOLO | {"train.txt": "1.png\n../2.png\n../../2.png"}, "train.txt:3: the file"),
    "yolo: train and test": (YOLO | {"train.txt": "2.png", "test.txt": "2.png"}, "2.png is to train on and to test on"),
    "voc: a bomb": ({"1.xml": BOMB}, "1.xml: not an annotation file: it declares a document type"),
    "voc: broken": ({"1.xml": "<annotation>"}, "1.xml: not an annotation file: no element found"),
    "voc: something else": ({"1.xml": "<svg/>"}, "1.xml: it holds <svg>, not <annotation>"),
    "voc: out of the folder": (voc_with("1.png", "../1.png"), "1.xml: the file name '../1.png' leaves its folder"),
    "voc: a photograph is missing": ({"3.xml": voc_text("1.png").replace("1.png", "3.png")}, "3.xml: its photograph"),
    "voc: no photograph's name": ({"3.xml": voc_text("1.png").replace("1.png", ".")}, "3.xml: its photograph . is"),
    "voc: a photograph twice": ({"1.xml": voc_text("1.png"), "3.xml": voc_text("1.png")}, "1.png is annotated twice"),
    "voc: another size": (voc_with("<width>40", "<width>41"), "1.png: declared 41×32"),
    "voc: no number": (voc_with("<xmin>21", "<xmin>nan"), "1.xml: object 1: xmin is 'nan', not a number"),
    "voc: shares": ({"1.xml": re.sub(r"(?<=>)\d+(?=</[xy]m)", "0.5", voc_text("1.png"))}, "are shares of the picture"),
    "voc: backwards": (voc_with("<xmin>21", "<xmin>99"), "1.xml: object 1: its box ends before it begins"),
    "voc: without a name": (voc_with("<name>can</name>", ""), "1.xml: object 1: it has no name"),
    "cvat: a video's": (cvat_with("<image ", '<track id="0"/><image '), "annotations.xml: it is CVAT for video"),
    "cvat: points": ({"annotations.xml": cvat_text('<points label="can" points="1,1"/>')}, "shape 3: a points is no"),
    "cvat: a label that is not declared": (cvat_with('label="cup"', 'label="mug"'), "declares no label 'mug'"),
    "cvat: corners": (cvat_with("20,3;", "20;"), "image 0: shape 2: its points are no x,y"),
    "cvat: far away": (cvat_with('xtl="4.0"', 'xtl="-1e308"'), "shape 1: xtl is '-1e308', which is in no photograph"),
    "cvat: no number": (cvat_with('xtl="4.0"', 'xtl="inf"'), "image 0: shape 1: xtl is 'inf', not a number"),
    "cvat: out of the folder": (cvat_with('"1.png"', '"../1.png"'), "image 0: the file name '../1.png' leaves its"),
    "cvat: an image twice": (cvat_with('"2.png" width="16" height="64"', '"1.png" width="40" height="32"'), "twice"),
    "cvat: another size": (
        cvat_with('width="40" height="32"', 'width="13000" height="13000"'), "declared 13000×13000, but the file has"),
    "cvat: a mask": (
        {"annotations.xml": cvat_text('<mask label="can" rle="3,4" left="0" top="0" width="4" height="2"/>')},
        "image 0: shape 3: its rle does not add up to 4 × 2 pixels",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_folder_is_one_line_and_leaves_nothing(tmp_path, case):
    texts, *said = WRONG[case]
    folder = put(tmp_path / "from", texts, FLAT)
    with pytest.raises(Problem) as problem:
        convert.convert(folder, tmp_path / "into")
    line = str(problem.value)
    assert line.startswith(str(folder))
    assert all(part in line for part in said), line
    assert [path.name for path in tmp_path.iterdir()] == ["from"]


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    folder = put(tmp_path / "from", {"classes.txt": "a"}, FLAT)
    (folder / "2.png").rename(tmp_path / "2.png")
    (folder / "2.png").symlink_to(tmp_path / "2.png")
    with pytest.raises(Problem, match=r"2\.png: it is a link that leaves the folder"):
        convert.convert(folder, tmp_path / "into")


def test_a_name_that_is_no_text_is_refused(tmp_path):
    folder = put(tmp_path / "from", {"classes.txt": "a"}, FLAT)
    (folder / "2.png").rename(os.fsdecode(os.fsencode(folder) + b"/\xff.png"))
    with pytest.raises(Problem, match="its name is not UTF-8"):
        convert.convert(folder, tmp_path / "into")


def test_a_file_in_place_of_a_folder_is_one_line(tmp_path):
    folder = put(tmp_path / "from", {"export.zip": "PK"}, FLAT)
    with pytest.raises(Problem, match=r"export\.zip: a file; .*unpack it"):
        convert.convert(folder / "export.zip", tmp_path / "into")


def test_nothing_is_written_over(tmp_path):
    folder = put(tmp_path / "from", {"annotations.json": as_coco()}, FLAT)
    with pytest.raises(Problem, match="not an empty folder"):
        convert.convert(folder, folder)


def test_a_file_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("stages.dataset.formats.plain_xml.LARGEST", 100)
    with pytest.raises(Problem, match=r"annotations\.xml: it has more than 100 bytes"):
        convert.convert(put(tmp_path / "from", {"annotations.xml": cvat_text()}, FLAT), tmp_path / "into")


def test_photographs_that_nothing_names_are_left_out_and_counted(tmp_path):
    folder = put(tmp_path / "from", {"1.xml": voc_text("1.png")}, (*FLAT, "more/2.png"))
    assert convert.convert(folder, tmp_path / "into").endswith("; 2 photographs that no annotation names were left out")


UNREAD = {
    "holdout/mine.json": ({"train/a.json": as_coco(["1.png"]), "holdout/mine.json": as_coco(["2.png"])}, "train/1.png"),
    "annotations/instances_test.json": (
        {"result.json": as_coco(["1.png"]), "annotations/instances_test.json": as_coco(["2.png"]),
         "annotations/info.json": {"images": []}}, "1.png"),
    "labels/2.txt": ({"data.yaml": "names: [can, cup]\ntrain: a", **yolo_texts("a", "labels")}, "a/1.png"),
    "holdout/annotations.xml": (
        {f"{home}annotations.xml": cvat_text(names=[n]) for home, n in (("", "1.png"), ("holdout/", "2.png"))},
        "1.png"),
}  # fmt: skip


@pytest.mark.parametrize("unread", UNREAD)
def test_annotations_that_are_left_out_are_told_of(tmp_path, unread):
    texts, photograph = UNREAD[unread]
    said = convert.convert(put(tmp_path / "from", texts, (photograph, "2.png")), tmp_path / "into")
    counts = "1 photographs were left out, and 1 annotation files that no list or part of the split leads to"
    assert said.endswith(f"2 objects of 2 classes; {counts}, such as {unread}")


def test_the_first_folder_stays_the_product_and_names_of_two_parts_stay_apart(tmp_path):
    photographs = [f"images/{part}/tube/1.png" for part in ("train", "val", "test")]
    convert.convert(put(tmp_path / "from", {"classes.txt": "a"}, photographs), tmp_path / "into")
    dataset = arrival.read(tmp_path / "into")
    assert [i.file_name for i in dataset.images] == ["tube/1.png", "tube/1_2.png", "tube/1_3.png"]
    assert [i.split for i in dataset.images].count("test") == 1
    assert coco.grouped(dataset, {}).keys() == {"tube"}


PRODUCTS = ("mug/train/1.png", "mug/test/2.png")
TESTED = {
    "coco": ({"annotations.json": {**as_coco(), "images": [
        of | {"file_name": name} for of, name in zip(as_coco()["images"], PRODUCTS, strict=True)]}}, ""),
    "yolo": ({"classes.txt": "can\ncup\n"}, "images/"),
    "voc": ({"mug/train/1.xml": voc_text("1.png"), "mug/test/2.xml": voc_text("2.png")}, ""),
    "cvat": ({"annotations.xml": re.sub('"([12]).png"', lambda of: f'"{PRODUCTS[int(of[1]) - 1]}"', cvat_text())},
             "images/"),
}  # fmt: skip


@pytest.mark.parametrize("name", TESTED)
def test_a_product_s_own_folder_for_tests_is_tested_on(tmp_path, name):
    texts, home = TESTED[name]
    dataset = converted(tmp_path, texts, [f"{home}{photograph}" for photograph in PRODUCTS])
    assert {image.file_name: image.split for image in dataset.images} == {PRODUCTS[0]: None, PRODUCTS[1]: "test"}
    assert coco.grouped(dataset, {}).keys() == {"mug"}


def test_the_command_says_what_it_found_or_what_is_wrong(tmp_path):
    folder = put(tmp_path / "from", {"annotations.json": as_coco()}, FLAT)
    command = [sys.executable, "-m", "stages.dataset.formats", folder]
    done = subprocess.run([*command, tmp_path / "into"], capture_output=True, text=True)
    assert done.stdout.startswith("COCO (annotations.json): 2 photographs") and not done.stderr
    again = subprocess.run([*command, tmp_path / "into"], capture_output=True, text=True)
    assert again.returncode == 2
    assert re.fullmatch(r"tenfold: .*not an empty folder\n", again.stderr)

"""The same two photographs in every format's layouts, and what is wrong with a folder, in one line."""

import json
import os
import re
import subprocess
import sys

import msgspec
import numpy as np
import pytest
from PIL import Image

from stages.dataset import arrival, coco, segmentation
from stages.dataset.formats import convert
from stages.problem import Problem

SIZES = {"1.png": (40, 32), "2.png": (16, 64)}
# A cup's box in each photograph, and the outline of a can in the first.
CUPS = {"1.png": (4, 6, 8, 12), "2.png": (1, 10, 12, 30)}
CAN = [(20, 3), (32, 3), (32, 12), (20, 8)]
THINGS = [("1.png", "can", (20, 3, 12, 9)), ("1.png", "cup", CUPS["1.png"]), ("2.png", "cup", CUPS["2.png"])]


def put(folder, files, photographs=()):
    """Write texts by their names, and the two photographs where they are said to lie."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if isinstance(text, str) else json.dumps(text))
    for name in photographs:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        width, height = SIZES[path.name]
        noise = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
        Image.fromarray(noise).save(path)
    return folder


def as_coco(names=("1.png", "2.png"), prefix=""):
    ids = {name: 7 + k for k, name in enumerate(names)}
    boxes = [(name, 30, CUPS[name], []) for name in names]
    if "1.png" in names:
        boxes.append(("1.png", 20, THINGS[0][2], [[v for corner in CAN for v in corner]]))
    return {
        "images": [dict(zip(("id", "file_name", "width", "height"), (ids[n], prefix + n, *SIZES[n]), strict=True))
                   for n in names],
        "categories": [{"id": 20, "name": "can"}, {"id": 30, "name": "cup"}],
        "annotations": [{"id": k, "image_id": ids[n], "category_id": c, "bbox": b, "segmentation": s}
                        for k, (n, c, b, s) in enumerate(boxes)],
    }  # fmt: skip


def yolo_text(name):
    width, height = SIZES[name]
    x, y, w, h = CUPS[name]
    lines = [f"1 {(x + w / 2) / width:.6f} {(y + h / 2) / height:.6f} {w / width:.6f} {h / height:.6f}"]
    if name == "1.png":
        lines.append("0 " + " ".join(f"{x / width:.6f} {y / height:.6f}" for x, y in CAN))
    return "\n".join(lines) + "\n"


def yolo_texts(first, second):
    return {f"{first}/1.txt": yolo_text("1.png"), f"{second}/2.txt": yolo_text("2.png")}


def voc_text(name, **changes):
    width, height = SIZES[name]
    objects = [
        f"<object><name>{label}</name><difficult>1</difficult><bndbox><xmin>{x + 1}</xmin><ymin>{y + 1}</ymin>"
        f"<xmax>{x + w}</xmax><ymax>{y + h}</ymax></bndbox></object>"
        for of, label, (x, y, w, h) in THINGS
        if of == name
    ]
    size = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
    return f"<annotation><filename>{name}</filename>{size}{''.join(objects)}</annotation>"


def cvat_text(shapes="", names=("1.png", "2.png")):
    images = []
    for k, name in enumerate(names):
        width, height = SIZES[name]
        x, y, w, h = CUPS[name]
        box = f'<box label="cup" xtl="{x}.0" ytl="{y}" xbr="{x + w}" ybr="{y + h}"/>'
        points = ";".join(f"{x},{y}" for x, y in CAN)
        can = f'<polygon label="can" points="{points}"/>' + shapes if name == "1.png" else ""
        images.append(f'<image id="{k}" name="{name}" width="{width}" height="{height}">{box}{can}</image>')
    labels = "".join(f"<label><name>{name}</name></label>" for name in ("can", "cup"))
    meta = f"<meta><task><labels>{labels}</labels></task></meta>"
    return f'<?xml version="1.0"?><annotations><version>1.1</version>{meta}{"".join(images)}</annotations>'


FLAT = ("1.png", "2.png")
INSIDE = ("images/1.png", "images/2.png")
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
    "yolo, roboflow": (
        {"data.yaml": "train: ../train/images\nval: ../train/images\ntest: ../test/images\nnames: ['can', 'cup']\n",
         "README.roboflow.txt": "exported", **yolo_texts("train/labels", "test/labels")},
        ROBOFLOW, "YOLO", True,
    ),
    "yolo, beside": ({"classes.txt": "can\ncup\n", **yolo_texts(".", ".")}, FLAT, "YOLO", False),
    "voc": (BOTH_VOC | {"ImageSets/Main/test.txt": "2\n"}, ("JPEGImages/1.png", "JPEGImages/2.png"),
            "Pascal VOC", True),
    "voc, beside": ({"1.xml": voc_text("1.png"), "2.xml": voc_text("2.png")}, FLAT, "Pascal VOC", False),
    "voc, test folder": ({"1.xml": voc_text("1.png"), "test/2.xml": voc_text("2.png")}, ("1.png", "test/2.png"),
                         "Pascal VOC", True),
    "cvat": ({"annotations.xml": cvat_text()}, INSIDE, "CVAT for images", False),
    "cvat, test folder": (
        {"annotations.xml": cvat_text(names=["1.png"]), "test/annotations.xml": cvat_text(names=["2.png"])},
        ("images/1.png", "test/images/2.png"), "CVAT for images", True,
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


YOLO = {"classes.txt": "can\ncup\n"}
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
    "coco: broken": ({"annotations.json": "{"}, "annotations.json: not JSON"),
    "coco: nothing in it": ({"annotations.json": ""}, "annotations.json: the file is empty"),
    "coco: out of the folder": ({"result.json": as_coco(prefix="images\\..\\..\\")}, "image 7", "leaves its folder"),
    "coco: a photograph is missing": ({"result.json": as_coco(prefix="a/")}, "image 7: a/1.png is missing"),
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
    binary = {name: text for name, text in texts.items() if isinstance(text, bytes)}
    folder = put(tmp_path / "from", {n: t for n, t in texts.items() if n not in binary}, FLAT)
    for name, data in binary.items():
        (folder / name).write_bytes(data)
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


def test_without_a_label_file_there_is_no_object(tmp_path):
    convert.convert(put(tmp_path / "from", YOLO | {"1.txt": yolo_text("1.png")}, FLAT), tmp_path / "into")
    dataset = coco.read(tmp_path / "into" / "annotations.json")
    assert [len(of) for of in coco.by_image(dataset).values()] == [2, 0]


def test_photographs_that_nothing_names_are_left_out_and_counted(tmp_path):
    folder = put(tmp_path / "from", {"1.xml": voc_text("1.png")}, (*FLAT, "more/2.png"))
    assert convert.convert(folder, tmp_path / "into").endswith("; 2 photographs that no annotation names were left out")


def test_the_first_folder_stays_the_product_and_names_of_two_parts_stay_apart(tmp_path):
    photographs = [f"images/{part}/tube/1.png" for part in ("train", "val", "test")]
    convert.convert(put(tmp_path / "from", {"classes.txt": "a"}, photographs), tmp_path / "into")
    dataset = arrival.read(tmp_path / "into")
    assert [i.file_name for i in dataset.images] == ["tube/1.png", "tube/1_2.png", "tube/1_3.png"]
    assert [i.split for i in dataset.images].count("test") == 1
    assert coco.grouped(dataset, {}).keys() == {"tube"}


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


def test_cvat_s_masks_and_turned_boxes(tmp_path):
    shapes = (
        '<mask label="can" rle="1, 2, 1, 2" left="10" top="20" width="3" height="2"/>'
        '<box label="can" xtl="10" ytl="10" xbr="20" ybr="14" rotation="90"/>'
    )
    convert.convert(put(tmp_path / "from", {"annotations.xml": cvat_text(shapes)}, FLAT), tmp_path / "into")
    masked, turned = arrival.read(tmp_path / "into").annotations[2:4]
    expected = np.zeros((32, 40), np.uint8)
    expected[20:22, 10:13] = [[0, 1, 1], [0, 1, 1]]
    assert np.array_equal(segmentation.mask(masked, 40, 32), expected)
    assert masked.bbox == (11, 20, 2, 2)
    assert turned.bbox == pytest.approx((13, 7, 4, 10))


def test_coco_keeps_its_ids_and_what_is_declared(tmp_path):
    given = as_coco()
    given["images"][0]["split"] = "val"
    convert.convert(put(tmp_path / "from", {"annotations.json": given}, INSIDE), tmp_path / "into")
    dataset = coco.read(tmp_path / "into" / "annotations.json")
    assert msgspec.to_builtins(dataset.images) == given["images"]
    assert [(a.id, a.category_id) for a in dataset.annotations] == [
        (a["id"], a["category_id"]) for a in given["annotations"]
    ]


def test_the_command_says_what_it_found_or_what_is_wrong(tmp_path):
    folder = put(tmp_path / "from", {"annotations.json": as_coco()}, FLAT)
    command = [sys.executable, "-m", "stages.dataset.formats", folder]
    done = subprocess.run([*command, tmp_path / "into"], capture_output=True, text=True)
    assert done.stdout.startswith("COCO (annotations.json): 2 photographs") and not done.stderr
    again = subprocess.run([*command, tmp_path / "into"], capture_output=True, text=True)
    assert again.returncode == 2
    assert re.fullmatch(r"tenfold: .*not an empty folder\n", again.stderr)


def test_a_line_of_names_ends_where_an_editor_ends_it(tmp_path):
    """Python would end it at U+2028, too, and all numbers after it would mean another class."""
    put(tmp_path / "from", {"classes.txt": "ca\u2028n\r\ncup\r\n", "1.txt": "1 0.5 0.5 0.1 0.1"}, FLAT)
    convert.convert(tmp_path / "from", tmp_path / "into")
    dataset = coco.read(tmp_path / "into" / "annotations.json")
    assert coco.class_names(dataset) == ["ca\u2028n", "cup"]
    assert [a.category_id for a in dataset.annotations] == [dataset.categories[1].id]

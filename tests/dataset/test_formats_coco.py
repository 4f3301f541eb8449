import json

import msgspec
import numpy as np
import pytest

from stages.dataset import coco, segmentation
from stages.dataset.formats import convert
from stages.problem import Problem
from tests.helpers.exports import INSIDE, as_coco, converted, put


def test_coco_keeps_its_ids_and_what_is_declared(tmp_path):
    given = as_coco()
    given["images"][0]["split"] = "val"
    convert.convert(put(tmp_path / "from", {"annotations.json": given}, INSIDE), tmp_path / "into")
    dataset = coco.read(tmp_path / "into" / "annotations.json")
    assert msgspec.to_builtins(dataset.images) == given["images"]
    assert [(a.id, a.category_id) for a in dataset.annotations] == [
        (a["id"], a["category_id"]) for a in given["annotations"]
    ]


def test_coco_s_photographs_in_a_folder_for_tests_are_tested_on(tmp_path):
    given = as_coco()
    given["images"][1]["file_name"] = "test/2.png"
    dataset = converted(tmp_path, {"annotations.json": given}, ("images/1.png", "images/test/2.png"))
    assert [(image.file_name, image.split) for image in dataset.images] == [("1.png", None), ("test/2.png", "test")]


@pytest.mark.parametrize("part", ["test", "Test", "test2017"])
def test_coco_s_part_for_tests_is_tested_on(tmp_path, part):
    parts = {f"annotations/instances_{p}.json": as_coco([n]) for p, n in (("train", "1.png"), (part, "2.png"))}
    dataset = converted(tmp_path, parts, ("images/train/1.png", f"images/{part}/2.png"))
    assert [image.split for image in dataset.images] == [None, "test"]


@pytest.mark.parametrize("name", ["things", "cup"])
def test_roboflow_s_first_category_is_no_class(tmp_path, name):
    given = as_coco()
    others = [of | {"supercategory": name} for of in given["categories"]]
    given["categories"] = [{"id": 0, "name": name, "supercategory": "none"}, *others]
    dataset = converted(tmp_path, {"annotations.json": given})
    assert [(of.id, of.name) for of in dataset.categories] == [(20, "can"), (30, "cup")]


@pytest.mark.parametrize("last", [{"id": 5, "name": "none"}, {"id": 5, "name": "cup", "supercategory": "cup"}])
def test_of_categories_that_nothing_shows_those_of_a_name_of_their_own_stay(tmp_path, last):
    given = as_coco()
    given["categories"] += [last, {"id": 6, "name": "lid"}, {"id": 7, "name": "lid"}]
    dataset = converted(tmp_path, {"annotations.json": given})
    assert coco.class_names(dataset) == [*["none"] * (last["name"] == "none"), "lid", "can", "cup"]


def test_two_categories_of_one_name_that_objects_have_are_refused(tmp_path):
    given = as_coco()
    given["categories"][0]["name"] = "cup"
    with pytest.raises(Problem, match="two categories have the name 'cup'"):
        converted(tmp_path, {"annotations.json": given})


def test_what_cvat_drew_with_a_brush_is_no_crowd(tmp_path):
    given = as_coco()
    said = [{"attributes": {"occluded": False}}, {"attributes": []}, {"attributes": {"colour": "red"}}]
    given["annotations"] = [of | more | {"iscrowd": 1} for of, more in zip(given["annotations"], said, strict=True)]
    dataset = converted(tmp_path, {"annotations.json": given})
    assert [of.iscrowd for of in dataset.annotations] == [0, 1, 1]
    marked = "\ufeff" + json.dumps(given)  # as an editor of Windows leaves it
    dataset = converted(tmp_path / "marked", {"annotations.json": marked})
    assert [of.iscrowd for of in dataset.annotations] == [0, 1, 1]


def test_what_another_tool_calls_a_rotation_turns_no_box(tmp_path):
    given = as_coco()
    given["annotations"][0] |= {"attributes": {"rotation": 90}}
    dataset = converted(tmp_path, {"annotations.json": given})
    assert dataset.annotations[0].bbox == tuple(given["annotations"][0]["bbox"])


def test_attributes_that_cannot_be_read_are_one_line(tmp_path):
    given = json.dumps(as_coco()).replace('"bbox"', f'"attributes": {"[" * 5000 + "]" * 5000}, "bbox"', 1)
    with pytest.raises(Problem, match=r"annotations\.json: it is nested too deeply"):
        converted(tmp_path, {"annotations.json": given})


@pytest.mark.parametrize("none", [None, [], [[]]])
def test_a_box_that_cvat_turned_is_the_outline_of_its_corners(tmp_path, none):
    given = as_coco()
    box, other, outlined = given["annotations"]
    box |= {"bbox": [10, 10, 10, 4], "segmentation": none, "attributes": {"occluded": False, "rotation": 90.0}}
    other |= {"attributes": {"occluded": True, "rotation": 0.0}}
    outlined |= {"attributes": {"occluded": False, "rotation": 45}}
    dataset = converted(tmp_path, {"annotations.json": given})
    assert dataset.annotations[0].bbox == pytest.approx((13, 7, 4, 10))
    (outline,) = segmentation.polygons(dataset.annotations[0], 40, 32)
    assert outline == pytest.approx(np.array([(17, 7), (17, 17), (13, 17), (13, 7)]))
    assert [of.bbox for of in dataset.annotations[1:]] == [tuple(of["bbox"]) for of in (other, outlined)]
    assert [len(segmentation.polygons(of, 40, 32)) for of in dataset.annotations[1:]] == [0, 1]


@pytest.mark.parametrize(
    ("degrees", "box"),
    [("left", [1, 1, 5, 5]), (True, [1, 1, 5, 5]), (45, [1e308, 1, 1e308, 5]), (1e300, [1, 1, 5, 5])],
)
def test_a_box_that_cannot_be_turned_is_one_line(tmp_path, degrees, box):
    given = as_coco()
    given["annotations"][0] |= {"attributes": {"occluded": False, "rotation": degrees}, "bbox": box}
    with pytest.raises(Problem, match=r"annotations\.json: annotation 0: its box cannot be turned by"):
        converted(tmp_path, {"annotations.json": given})

import json

import numpy as np
import pytest
from pycocotools import mask as rle

from stages.dataset import coco
from stages.problem import Problem


def content(**changes):
    whole = {
        "images": [{"id": 1, "file_name": "a.png", "width": 40, "height": 30}],
        "categories": [{"id": 5, "name": "thing"}],
        "annotations": [{"id": 9, "image_id": 1, "category_id": 5, "bbox": [1, 2, 3, 4]}],
    }
    return whole | changes


def image(**changes):
    return {"id": 1, "file_name": "a.png", "width": 40, "height": 30} | changes


def annotation(**changes):
    return {"id": 9, "image_id": 1, "category_id": 5, "bbox": [1, 2, 3, 4]} | changes


BAD = {
    "not json": ("{", ["not JSON"]),
    "empty file": ("", ["empty"]),
    "a list": ("[]", ["object"]),
    "no images key": (json.dumps({"annotations": [], "categories": []}), ["images"]),
    "no images": (content(images=[], annotations=[]), ["no images"]),
    "missing key": (content(images=[{"id": 1, "width": 4, "height": 4}]), ["image 1", "file_name"]),
    "wrong type": (content(annotations=[annotation(bbox="big")]), ["annotation 9", "bbox", "array"]),
    "short box": (content(annotations=[annotation(bbox=[1, 2, 3])]), ["annotation 9", "bbox"]),
    "no box": (content(annotations=[{"id": 9, "image_id": 1, "category_id": 5}]), ["annotation 9", "bbox"]),
    "nan box": (content(annotations=[annotation(bbox=[1, float("nan"), 3, 4])]), ["annotation 9", "not finite"]),
    "infinite box": (content(annotations=[annotation(bbox=[1, 2, float("inf"), 4])]), ["annotation 9", "not finite"]),
    "number overflow": ('{"images": [], "annotations": [{"id": 1e999}]}', ["annotation inf", "out of range"]),
    "id as text": (content(images=[image(id="1")]), ["image 1", "int"]),
    "image twice": (content(images=[image(), image(file_name="b.png")]), ["two image", "1"]),
    "annotation twice": (content(annotations=[annotation(), annotation()]), ["two annotation", "9"]),
    "category twice": (content(categories=[{"id": 5, "name": "a"}, {"id": 5, "name": "b"}]), ["two category", "5"]),
    "class name twice": (content(categories=[{"id": 5, "name": "a"}, {"id": 6, "name": "a"}]), ["'a'"]),
    "file name twice": (content(images=[image(), image(id=2)]), ["a.png"]),
    "unknown category": (content(annotations=[annotation(category_id=7)]), ["annotation 9", "7"]),
    "escape": (content(images=[image(file_name="../a.png")]), ["image 1", "../a.png"]),
    "absolute": (content(images=[image(file_name="/a.png")]), ["image 1", "/a.png"]),
    "no size": (content(images=[image(width=0)]), ["image 1", "positive"]),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("masks", [True, False])
def test_a_bad_file_is_one_line_with_the_file_and_the_id(tmp_path, case, masks):
    text, said = BAD[case]
    path = tmp_path / "annotations.json"
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    with pytest.raises(Problem) as problem:
        coco.read(path, masks)
    line = str(problem.value)
    assert "\n" not in line
    assert str(path) in line
    assert all(part in line for part in said), line


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(Problem, match=r"none\.json: no such file"):
        coco.read(tmp_path / "none.json")


def test_what_other_tools_add_is_ignored_and_boxes_need_no_masks(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(
        json.dumps(content(info={"year": 1}, annotations=[annotation(iscrowd=True, keypoints=[1], area=7)]))
    )
    for masks in (True, False):
        dataset = coco.read(path, masks)
        assert dataset.annotations[0].bbox == (1, 2, 3, 4)
        assert dataset.annotations[0].iscrowd


def test_masks_from_polygons_and_both_kinds_of_rle_agree(tmp_path):
    square = np.zeros((30, 40), np.uint8)
    square[5:15, 8:20] = 1
    packed = rle.encode(np.asfortranarray(square))
    runs, current, count = [], 0, 0
    for value in square.ravel(order="F"):
        if value != current:
            runs.append(count)
            current, count = value, 0
        count += 1
    masks = [
        [[8, 5, 20, 5, 20, 15, 8, 15]],
        {"size": [30, 40], "counts": packed["counts"].decode()},
        {"size": [30, 40], "counts": [*runs, count]},
    ]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content(annotations=[annotation(id=k, segmentation=m) for k, m in enumerate(masks)])))
    for a in coco.read(path).annotations:
        assert (coco.mask(a, 40, 30) == square).all()
        (outline,) = coco.polygons(a, 40, 30)
        assert np.allclose([outline.min(0), outline.max(0)], [(8, 5), (20, 15)], atol=1)


@pytest.mark.parametrize(
    "broken", [{"size": [3, 4], "counts": [1]}, {"counts": 5}, [["a", "b", "c", "d", "e", "f"]], 7]
)
def test_an_unreadable_mask_names_its_annotation(tmp_path, broken):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content(annotations=[annotation(segmentation=broken)])))
    (a,) = coco.read(path).annotations
    with pytest.raises(Problem, match="annotation 9"):
        coco.polygons(a, 40, 30)


def test_no_mask_is_no_mask(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content(annotations=[annotation(), annotation(id=2, segmentation=[])])))
    for a in coco.read(path).annotations:
        assert coco.polygons(a, 40, 30) == []
        assert coco.mask(a, 40, 30) is None


def test_written_and_read_back_is_the_same(tmp_path, bins):
    dataset = coco.read(bins / "annotations.json")
    coco.write(tmp_path / "b.json", dataset)
    again = coco.read(tmp_path / "b.json")
    assert again.images == dataset.images
    assert [a.bbox for a in again.annotations] == [a.bbox for a in dataset.annotations]
    first = dataset.annotations[0], again.annotations[0]
    assert np.array_equal(*(coco.polygons(a, 320, 180)[0] for a in first))


@pytest.mark.parametrize(
    ("name", "mapping", "group"),
    [
        ("tube/1.png", {}, "tube"),
        ("Group 4/x/1.png", {}, "group_4"),
        ("4/1.png", {}, "group_4"),
        ("1.png", {}, "ungrouped"),
        ("cam_0001.png", {"left": ["cam_00*"], "right": ["cam_*"]}, "left"),
        ("cam_0101.png", {"left": ["cam_00*"], "right": ["cam_*"]}, "right"),
    ],
)
def test_groups(name, mapping, group):
    assert coco.group_of(coco.Image(1, name, 4, 4), mapping) == group


def test_an_image_without_a_group_is_named():
    with pytest.raises(Problem, match="image 3"):
        coco.group_of(coco.Image(3, "x.png", 4, 4), {"left": ["cam_*"]})


def test_a_subset_keeps_order_and_drops_the_rest(bins):
    dataset = coco.read(bins / "annotations.json")
    ids = [dataset.images[5].id, dataset.images[2].id]
    part = coco.subset(dataset, ids)
    assert [i.id for i in part.images] == ids
    assert {a.image_id for a in part.annotations} == set(ids)
    assert len(part.annotations) == sum(a.image_id in ids for a in dataset.annotations)

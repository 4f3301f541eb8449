import contextlib
import json
import tracemalloc

import numpy as np
import pytest

from stages.dataset import coco, segmentation
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
    "number overflow": ('{"images": [], "annotations": [{"id": 1e999}]}', ["annotation 1e999", "out of range"]),
    "id as text": (content(images=[image(id="1")]), ['image "1"', "int"]),
    "image twice": (content(images=[image(), image(file_name="b.png")]), ["two image", "1"]),
    "annotation twice": (content(annotations=[annotation(), annotation()]), ["two annotation", "9"]),
    "category twice": (content(categories=[{"id": 5, "name": "a"}, {"id": 5, "name": "b"}]), ["two category", "5"]),
    "class name twice": (content(categories=[{"id": 5, "name": "a"}, {"id": 6, "name": "a"}]), ["'a'"]),
    "file name twice": (content(images=[image(), image(id=2)]), ["a.png"]),
    "unknown category": (content(annotations=[annotation(category_id=7)]), ["annotation 9", "7"]),
    "a file by two names": (
        content(images=[image(file_name="a/b.png"), image(id=2, file_name="./a//b.png")]),
        ["'a/b.png'"],
    ),
    "escape": (content(images=[image(file_name="../a.png")]), ["image 1", "../a.png"]),
    "absolute": (content(images=[image(file_name="/a.png")]), ["image 1", "/a.png"]),
    "null for a table": (content(annotations=None), ["annotations", "array", "null"]),
    "a number": ("5", ["object"]),
    "null for an entry": (content(images=[None]), ["image at place 0", "object"]),
    "an entry in a table that comes twice": (
        '{"images": [], "annotations": [{"id": 1}], "annotations": []}',
        ["annotation at place 0", "image_id"],
    ),
    "nested too deeply": ('{"info": ' + "[" * 100_000, ["nested too deeply"]),
    "not finite, beside what is nested deeply": (
        '{"annotations": [{"id": 9, "bbox": [NaN, 0, 1, 1], "x": ' + "[" * 1500 + "]" * 1500 + "}]}",
        ["NaN", "no finite number"],
    ),
    "not UTF-8": (b'{"images": [{"id": 1, "file_name": "\xff"}]}', ["UTF-8"]),
    "an id too large": (content(images=[image(id=2**63)]), [f"image {2**63}", "id", str(2**63 - 1)]),
    "an image too large": (content(images=[image(width=10**6, height=10**6)]), ["image 1", "178,956,970 pixels"]),
    "a name of two lines": (content(images=[image(file_name="../a\n\x1b[2Jb.png")]), ["image 1", "../a"]),
    "a name too long": (content(images=[image(file_name="a" * 256)]), ["image 1", "255"]),
    "a name of many folders": (content(images=[image(file_name="a/" * 16_000 + "x.png")]), ["image 1", "255"]),
    "no size": (content(images=[image(width=0)]), ["image 1", "positive"]),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("masks", [True, False])
def test_a_bad_file_is_one_line_with_the_file_and_the_id(tmp_path, case, masks):
    text, said = BAD[case]
    path = tmp_path / "annotations.json"
    text = text if isinstance(text, str | bytes) else json.dumps(text)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(Problem) as problem:
        coco.read(path, masks)
    line = str(problem.value)
    assert line.isprintable() and len(line) < 1000
    assert str(path) in line
    assert all(part in line for part in said), line


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(Problem, match=r"none\.json: no such file"):
        coco.read(tmp_path / "none.json")


def test_a_folder_in_its_place_is_named(tmp_path):
    (tmp_path / "a.json").mkdir()
    with pytest.raises(Problem, match=r"a\.json: cannot be read \(Is a directory\)"):
        coco.read(tmp_path / "a.json")


def test_what_is_wrong_with_a_large_file_is_found_in_little_memory(tmp_path):
    entry = json.dumps(annotation(segmentation=[[k / 7 for k in range(200)]]))
    (tmp_path / "a.json").write_text('{"images": [], "annotations": [' + ",".join([entry] * 800) + ", NaN]}")
    tracemalloc.start()
    with pytest.raises(Problem, match=r"not JSON"):
        coco.read(tmp_path / "a.json")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < (tmp_path / "a.json").stat().st_size / 2


def test_what_other_tools_add_is_ignored_and_boxes_need_no_masks(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(
        json.dumps(content(info={"year": 1}, annotations=[annotation(iscrowd=True, keypoints=[1], area=7)]))
    )
    for masks in (True, False):
        dataset = coco.read(path, masks)
        assert dataset.annotations[0].bbox == (1, 2, 3, 4)
        assert dataset.annotations[0].iscrowd


def test_written_and_read_back_is_the_same(tmp_path, bins):
    dataset = coco.read(bins / "annotations.json")
    coco.write(tmp_path / "b.json", dataset)
    again = coco.read(tmp_path / "b.json")
    assert again.images == dataset.images
    assert [a.bbox for a in again.annotations] == [a.bbox for a in dataset.annotations]
    first = dataset.annotations[0], again.annotations[0]
    assert np.array_equal(*(segmentation.polygons(a, 320, 180)[0] for a in first))


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


@pytest.mark.parametrize("folders", [("日本", "中国"), ("Can A", "can-a")])
def test_folders_that_would_be_one_product_are_refused(folders):
    images = [coco.Image(k, f"{folder}/1.png", 4, 4) for k, folder in enumerate(folders)]
    with pytest.raises(Problem, match=f"{folders[0]}.*{folders[1]}.*would be one product"):
        coco.grouped(coco.Coco(images, [], []), {})
    assert list(coco.grouped(coco.Coco(images, [], []), {"both": ["*"]})) == ["both"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("can", "Can"), "the categories 'can' and 'Can' differ in nothing that can be seen"),
        (("can ", "can"), "the categories 'can ' and 'can' differ"),
        (("caf\u00e9", "cafe\u0301"), "differ in nothing that can be seen"),
        (("can", " "), "category 2 has no name"),
    ],
)
def test_classes_that_nobody_can_tell_apart_are_refused(hand, names, said):
    path = hand([("a.png", 8, 8)], [], [(name, k) for k, name in enumerate(names, 1)])
    with pytest.raises(Problem, match=said):
        coco.read(path)


def test_the_mark_that_windows_leaves_before_a_text_is_no_part_of_it(hand):
    path = hand([("a.png", 8, 8)], [{"bbox": [1, 1, 4, 4], "segmentation": [[1, 1, 5, 1, 5, 5]]}])
    whole = coco.read(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert coco.read(path) == whole and coco.read(path, masks=False).images == whole.images


@pytest.mark.parametrize(("deep", "count"), [(16_000, 1), (1400, 20)])  # too long for a disk, and not
def test_folders_of_folders_take_little_memory(tmp_path, deep, count):
    images = [image(id=k, file_name=f"{k}/{'a/' * deep}x.png") for k in range(count)]
    (tmp_path / "a.json").write_text(json.dumps(content(images=images)))
    tracemalloc.start()
    with contextlib.suppress(Problem):
        coco.read(tmp_path / "a.json")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 5_000_000


def test_an_image_cannot_lie_in_another(hand):
    path = hand([("a/b.png", 8, 8), ("a/b.png/c/d.png", 8, 8)], [], pictures=False)
    with pytest.raises(Problem, match=r"'a/b\.png' is an image, and a folder in which another lies"):
        coco.read(path)

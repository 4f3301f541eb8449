"""The traps that COCO to YOLO converters fall into, one case each."""

import json
import tracemalloc

import numpy as np
import pytest
from pycocotools import mask as rle

from stages.dataset import coco, yolo_labels

SQUARE = np.zeros((50, 100), np.uint8)
SQUARE[10:30, 20:60] = 1


def dataset(annotations, categories=((1, "a"),), images=((1, "a.png"),)):
    entries = [
        coco.Annotation(
            id=k,
            image_id=a.get("image_id", 1),
            category_id=a.get("category_id", categories[0][0]),
            bbox=tuple(map(float, a.get("bbox", (20, 10, 40, 20)))),
            iscrowd=a.get("iscrowd", 0),
            segmentation=coco.msgspec.Raw(json.dumps(a.get("segmentation")).encode()),
        )
        for k, a in enumerate(annotations, 1)
    ]
    pictures = [coco.Image(id_, name, 100, 50) for id_, name in images]
    return coco.Coco(pictures, [coco.Category(id_, name) for id_, name in categories], entries)


def rows(data, polygons=False):
    boxes, tally = yolo_labels.usable(data)
    texts, tally.without_mask = yolo_labels.labels(data, boxes, polygons)
    return [[[float(v) for v in line.split()] for line in text.splitlines()] for text in texts], tally


WHOLE = [0, 0.4, 0.4, 0.4, 0.4]  # the box 20, 10, 40, 20 in an image of 100 × 50
TRAPS = {
    "plain": ([{}], [WHOLE], {}),
    "out of bounds on the right": ([{"bbox": (80, 10, 40, 20)}], [[0, 0.9, 0.4, 0.2, 0.4]], {"clipped": 1}),
    "out of bounds on the left": ([{"bbox": (-20, -10, 40, 30)}], [[0, 0.1, 0.2, 0.2, 0.4]], {"clipped": 1}),
    "wholly outside": ([{"bbox": (200, 10, 40, 20)}], [], {"empty": 1}),
    "zero area": ([{"bbox": (20, 10, 0, 20)}], [], {"empty": 1}),
    "negative width": ([{"bbox": (60, 10, -40, 20)}], [], {"empty": 1}),
    "crowd": ([{"iscrowd": 1}, {}], [WHOLE], {"crowds": 1}),
    "orphan": ([{"image_id": 77}, {}], [WHOLE], {"orphans": 1}),
    "the same box twice stays twice": ([{}, {}], [WHOLE, WHOLE], {}),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_trap(trap):
    annotations, wanted, counted = TRAPS[trap]
    (found,), tally = rows(dataset(annotations))
    assert found == wanted
    expected = {"rows": len(wanted), "clipped": 0, "empty": 0, "crowds": 0, "orphans": 0, "without_mask": 0} | counted
    assert vars(tally) == expected


def test_category_ids_with_gaps_become_classes_in_their_order():
    data = dataset(
        [{"category_id": 6}, {"category_id": 0}, {"category_id": 3}],
        categories=((6, "S"), (0, "E"), (2, "T"), (3, "B")),
    )
    (found,), _ = rows(data)
    assert [row[0] for row in found] == [3, 0, 2]
    assert coco.class_names(data) == ["E", "T", "B", "S"]


def test_every_image_has_a_label_text_and_rows_go_to_their_image():
    data = dataset([{"image_id": 30}, {"image_id": 10}], images=((30, "c.png"), (20, "b.png"), (10, "a.png")))
    found, _ = rows(data)
    assert found == [[WHOLE], [], [WHOLE]]


@pytest.mark.parametrize(
    ("images", "names"),
    [
        (["a/1.png", "b/1.png"], ["a__1", "b__1"]),
        (["a/1.png", "a/1.jpg"], ["a/1", "a/1"]),
        (["a/1.png", "a__1.png"], None),
        (["A/1.png", "a/1.png"], None),
        (["a/1.png", "a/1.jpg", "a/1__1.png", "a/1__2.png"], None),
        (["a/1__2.png", "a/1.png", "A/1.jpg"], None),
        (["x.tar.png", "x.png"], ["x.tar", "x"]),
        ([f"{'ä' * 60}/{'ö' * 60}.png", f"{'ä' * 60}/{'ö' * 60}.jpg", f"{'x' * 240}.png"], None),
        (["images/1.png", "no suffix"], ["images__1", "no suffix"]),
    ],
)
def test_no_two_images_share_a_label_file(images, names):
    found = yolo_labels.flat_names([coco.Image(k, name, 4, 4) for k, name in enumerate(images, 1)])
    assert len({name.lower() for name in found}) == len(images)
    assert all("/" not in name and len(f"{name}.png".encode()) < 255 for name in found)
    if names and "/" not in names[0]:
        assert found == names


def polygon(row):
    return np.array(row[1:]).reshape(-1, 2) * (100, 50)


def test_polygon_rows_are_the_mask_clipped_to_the_image():
    data = dataset([{"segmentation": [[80, 10, 120, 10, 120, 30, 80, 30]], "bbox": (80, 10, 40, 20)}])
    ((row,),), _ = rows(data, polygons=True)
    assert polygon(row).tolist() == [[80, 10], [100, 10], [100, 30], [80, 30]]


def test_rle_masks_become_outlines():
    code = rle.encode(np.asfortranarray(SQUARE))
    data = dataset([{"segmentation": {"size": [50, 100], "counts": code["counts"].decode()}}])
    ((row,),), tally = rows(data, polygons=True)
    points = polygon(row)
    assert np.allclose([points.min(0), points.max(0)], [(20, 10), (60, 30)], atol=1)
    assert tally.without_mask == 0


@pytest.mark.parametrize("mask", [None, [], [[1, 2, 3, 4]], [[5, 5, 5, 9, 5, 20]]])
def test_without_a_usable_mask_the_box_is_the_polygon(mask):
    """A row of a plain box among polygon rows would be read as two points."""
    data = dataset([{"segmentation": mask}])
    ((row,),), tally = rows(data, polygons=True)
    assert polygon(row).tolist() == [[20, 10], [60, 10], [60, 30], [20, 30]]
    assert tally.without_mask == 1


def test_parts_of_one_object_are_joined_without_gaining_area():
    left, right = [10, 10, 30, 10, 30, 30, 10, 30], [60, 10, 80, 10, 80, 30, 60, 30]
    data = dataset([{"segmentation": [left, right], "bbox": (10, 10, 70, 20)}])
    ((row,),), _ = rows(data, polygons=True)
    outline = polygon(row)
    x, y = outline.T
    area = abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2
    assert area == pytest.approx(800)
    assert np.allclose([outline.min(0), outline.max(0)], [(10, 10), (80, 30)])
    corners = {tuple(p) for p in np.array(left + right, float).reshape(-1, 2)}
    assert corners <= {tuple(p.round(3)) for p in outline}


def test_outlines_of_many_corners_are_joined_in_little_memory():
    circle = np.stack([np.cos(turn := np.linspace(0, 2 * np.pi, 8000)), np.sin(turn)], 1)
    tracemalloc.start()
    whole = yolo_labels.joined([circle, np.add(circle, (3, 0))])
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(whole) == 2 * 8000 + 2
    assert most < 10_000_000


def test_of_thousands_of_specks_the_largest_are_in_the_outline():
    square = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
    parts = [square + np.array((3.0 * k, 0.0)) for k in range(3000)]
    parts[1500] = parts[1500] * (1, 50)
    outline = yolo_labels.joined(parts)
    assert len(outline) < 3 * 4 * yolo_labels.MOST_PARTS and outline[:, 1].max() == 50


@pytest.mark.parametrize(("box", "ends"), [
    ((20, 10, 40, 20), (20, 10, 60, 30)), ((20, 10, 40.4, 20), (20, 10, 60.4, 30)),
    ((10, 10, 50, 20), (20.5, 10.5, 59.5, 29.5)),
])  # fmt: skip
def test_an_outline_fills_its_box_unless_it_lies_elsewhere(box, ends):
    mask = {"size": [50, 100], "counts": rle.encode(np.asfortranarray(SQUARE))["counts"].decode()}
    ((row,),), _ = rows(dataset([{"bbox": box, "segmentation": mask}]), polygons=True)
    assert (*polygon(row).min(0), *polygon(row).max(0)) == pytest.approx(ends, abs=0.01)

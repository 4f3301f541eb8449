"""What of a picture a training step sees."""

import copy
import random
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from stages.detector import model, random_view
from stages.detector.random_view import Compose, RandomPerspective

SIDE = 32
WHITE = 255


def labels(width=200, height=120, boxes=((60, 40, 70, 50), (150, 90, 164, 100))):
    """A black picture with white boxes, as ultralytics hands it to its transforms."""
    pixels = np.zeros((height, width, 3), np.uint8)
    for left, top, right, bottom in boxes:
        pixels[top:bottom, left:right] = WHITE
    share = np.array(boxes, np.float32).reshape(-1, 4) / (width, height, width, height)
    from ultralytics.utils.instance import Instances  # after stages.detector, which says how it may load weights

    found = Instances(share, np.zeros((0, 1000, 2), np.float32), bbox_format="xyxy", normalized=True)
    return {"img": pixels, "instances": found, "cls": np.zeros((len(boxes), 1), np.float32)}


def crop(scale=0.0, degrees=0.0, side=SIDE, size=(640, 640)):
    first = Compose([RandomPerspective(degrees=degrees, translate=0.0, scale=scale, size=size)])
    transforms = Compose([first])
    random_view.replace_in(transforms, side)
    return transforms


@pytest.fixture(autouse=True)
def seeded():
    random.seed(0)


def test_squares_show_objects_at_their_own_size_and_box_what_they_show():
    cut, shown = crop(), 0
    for _ in range(60):
        one = cut(labels())
        pixels, boxes = one["img"], one["instances"].bboxes
        assert pixels.shape == (SIDE, SIDE, 3)
        areas = [(right - left) * (bottom - top) for left, top, right, bottom in boxes]
        assert sum(areas) == pytest.approx(pixels.sum() / (3 * WHITE), rel=0.01) and len(one["cls"]) == len(boxes)
        shown += any(area == pytest.approx(whole) for area in areas for whole in (100, 140))
    assert shown > 20  # whole objects, at the size that they have in the picture


def test_most_squares_show_an_object_and_some_show_none():
    cut = crop()
    empty = sum(not len(cut(labels())["instances"]) for _ in range(200))
    assert 10 < empty < 80


def test_no_square_shows_what_is_beside_the_picture():
    cut = crop()
    for _ in range(100):
        bright = labels()
        bright["img"][:] = WHITE
        assert cut(bright)["img"].min() == WHITE  # ultralytics fills with grey


def test_a_picture_that_is_smaller_than_the_square_is_shown_whole():
    one = crop()(labels(20, 12, ((5, 3, 10, 9),)))
    assert (one["img"] == WHITE).all(2).sum() == 30


def test_turned_squares_are_the_same_for_the_same_seed():
    cut, found = crop(scale=0.3, degrees=180), []
    for _ in range(2):
        random.seed(7)
        found.append(cut(copy.deepcopy(labels()))["img"])
    assert np.array_equal(*found)


@pytest.mark.parametrize(("side", "size", "turns"), [(SIDE, (640, 640), 4), (0, (200, 200), 4), (0, (200, 120), 2)])
@pytest.mark.parametrize("straight", [False, True])
def test_boxes_are_turned_by_quarters_and_stay_what_they_are(side, size, turns, straight):
    """A rectangle tells no more than its box, whether it is given by two corners or by four."""
    view, seen = crop(degrees=180, side=side, size=size), set()
    for _ in range(60):
        one = labels(200, 120, ((90, 40, 110, 50),))
        if straight:
            left, top, right, bottom = one["instances"].bboxes[0]
            one["instances"].segments = np.array([[(left, top), (right, top), (right, bottom), (left, bottom)]])
        one["img"][42:44, 92:95, 1:] = 0  # which way round it lies
        one = view(one)
        there, boxes = one["img"][..., 0] > 120, one["instances"].bboxes
        if len(boxes) and np.ptp(boxes[0].reshape(2, 2), 0).prod() > 195:  # it is seen whole
            left, top, right, bottom = boxes[0]
            rows, columns = np.nonzero(there)
            around = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            assert (left, top, right, bottom) == pytest.approx(around, abs=0.51)
            y, x = np.argwhere(there & (one["img"][..., 1] < 100)).mean(0)
            seen.add((right - left > bottom - top, x > (left + right) / 2, y > (top + bottom) / 2))
    assert len(seen) == turns


def test_what_has_an_outline_is_turned_to_any_angle():
    view, areas = crop(degrees=180), []
    for _ in range(60):
        one = labels(200, 120, ((90, 50, 110, 70),))
        left, top, right, bottom = one["instances"].bboxes[0]
        one["instances"].segments = np.array([[(left, top), (right, top), (left, bottom)]])
        boxes = view(one)["instances"].bboxes
        areas += [(right - left) * (bottom - top) for left, top, right, bottom in boxes]
    assert len({round(float(area)) for area in areas}) > 10


@pytest.mark.parametrize(("imgsz", "side", "cut"), [(128, 64, 64), (128, 128, 0), (64, 128, 0), (128, 0, 0)])
def test_pictures_are_cut_where_they_are_larger_than_the_squares(params, imgsz, side, cut):
    assert model.crop(msgspec.structs.replace(params.now.detector, imgsz=imgsz, crop=side)) == cut


def test_outlines_of_few_points_are_boxed_as_those_of_a_thousand():
    from ultralytics.data.dataset import YOLODataset

    from stages.detector.trainer import outlined_by_corners

    def plain(label):
        return YOLODataset.update_labels_info(SimpleNamespace(use_obb=False, use_segments=True), label)

    def label():
        rng = np.random.default_rng(0)
        outlines = [rng.random((corners, 2), np.float32) for corners in (3, 12, 40)]
        boxes = np.array([[*of.min(0), *of.max(0)] for of in outlines])
        of = {"segments": outlines, "bboxes": boxes, "bbox_format": "xyxy", "normalized": True}
        return of | {"img": np.zeros((120, 200, 3), np.uint8), "cls": np.zeros((3, 1), np.float32)}

    turn, boxes, points = RandomPerspective(degrees=180, translate=0.1, scale=0.5, size=(64, 64)), [], []
    for update in (plain, outlined_by_corners(plain)):
        random.seed(0)
        points.append(update(label())["instances"].segments.shape[1])
        boxes.append(np.concatenate([turn(update(label()))["instances"].bboxes for _ in range(50)]))
    assert points == [1000, 41]
    assert len(boxes[0]) > 20
    np.testing.assert_allclose(*boxes, atol=1e-3)

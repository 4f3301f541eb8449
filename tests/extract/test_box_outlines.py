"""An object that is annotated by its box alone gets an outline that fits its box, however it is turned."""

from __future__ import annotations

import cv2
import msgspec
import numpy as np
import pytest
from PIL import Image

from stages.dataset import coco, segmentation
from stages.extract import box_outlines
from tests.helpers.squares import square

FRAME = coco.Image(1, "a.png", 80, 60)


def outlines(dataset):
    return [segmentation.polygons(one, 80, 60)[0] for one in dataset.annotations]


def test_only_what_has_no_outline_gets_one(bright_squares):
    folder = bright_squares(square(30, 20), {"bbox": [55, 20, 14, 14]}, {"bbox": [2, 2, 9, 9], "iscrowd": 1})
    dataset = coco.read(folder / "annotations.json")
    triangle = msgspec.Raw(b"[[30, 20, 42, 20, 42, 32]]")
    dataset.annotations[0] = msgspec.structs.replace(dataset.annotations[0], segmentation=triangle)
    done = box_outlines.complete(dataset, folder / "images")
    assert done.annotations[0] == dataset.annotations[0] and done.annotations[2] == dataset.annotations[2]
    assert not box_outlines.is_box(done.annotations[1], FRAME)


@pytest.mark.parametrize("how", [{}, {"segmentation": []}, {"segmentation": [[20, 10, 60, 10, 60, 50, 20, 50]]}])
def test_it_fills_the_box_and_follows_the_object(hand, tmp_path, how):
    path = hand([("a.png", 80, 60)], [{"bbox": [20, 10, 40, 40], **how}])
    there = cv2.ellipse(np.zeros((60, 80), np.uint8), (40, 30), (25, 8), 45, 0, 360, 1, cv2.FILLED)
    rng = np.random.default_rng(0)
    pixels = np.where(there[..., None], (220, 200, 60), rng.integers(60, 70, (60, 80, 3))).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "images" / "a.png")
    (found,) = outlines(box_outlines.complete(coco.read(path), tmp_path / "images"))
    assert np.allclose((*found.min(0), *found.max(0)), (20, 10, 60, 50), atol=0.02)
    back = cv2.transform(found[:, None], cv2.getRotationMatrix2D((40, 30), 45, 1))[:, 0]
    assert np.ptp(back, 0).min() < 25  # across the object, where the box's own corners are 57 pixels apart


@pytest.mark.parametrize("box", [[-10, 20, 30, 10], [70, 50, 30, 30], [0, 0, 80, 60], [10, 10, 2, 2]])
def test_boxes_at_and_over_the_edge_and_tiny_ones_keep_their_box(hand, tmp_path, box):
    path = hand([("a.png", 80, 60)], [{"bbox": box}])
    (found,) = outlines(box_outlines.complete(coco.read(path), tmp_path / "images"))
    left, top, width, height = box
    inside = np.clip((left, top, left + width, top + height), 0, (80, 60, 80, 60))
    assert np.allclose((*found.min(0), *found.max(0)), inside, atol=0.02)


def test_a_box_outside_its_picture_stays_as_it_is(hand, tmp_path):
    path = hand([("a.png", 80, 60)], [{"bbox": [200, 20, 10, 10]}])
    dataset = coco.read(path)
    assert box_outlines.complete(dataset, tmp_path / "images").annotations[0].bbox == (200, 20, 10, 10)

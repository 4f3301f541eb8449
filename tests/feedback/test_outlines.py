import cv2
import numpy as np

from stages.extract.cutouts import SegmentedImage
from stages.feedback import outlines

WIDTH = 100


def bar(angle, centre=(50, 50), sides=(60, 12)):
    """A long object, turned, in a picture of 100 pixels."""
    picture = np.zeros((WIDTH, WIDTH), np.uint8)
    cv2.fillPoly(picture, [cv2.boxPoints((centre, sides, angle)).round().astype(np.int32)], 1)
    return picture.astype(bool)


def box_of(mask):
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    return float(columns[0]), float(rows[0]), float(np.ptp(columns) + 1), float(np.ptp(rows) + 1)


def known(mask):
    scene = SegmentedImage("a", np.zeros((WIDTH, WIDTH, 3), np.uint8), mask[None], [7], ["mask"])
    return outlines.known([scene])[7]


def test_an_annotated_outline_is_turned_into_the_box_the_way_that_the_object_lies():
    for angle in (30, -30):  # both have the same box
        there = bar(angle)
        x, y, w, h = box = box_of(there)
        seen = there[int(y) : int(y + h), int(x) : int(x + w)].copy()
        seen[:, : int(w / 3)] = False  # GrabCut has lost a part of it
        found = outlines.fitted(box, WIDTH, seen, known(bar(0)))
        drawn = np.zeros((WIDTH, WIDTH), np.uint8)
        cv2.fillPoly(drawn, [found.round().astype(np.int32)], 1)
        assert (there & (drawn > 0)).sum() / (there | (drawn > 0)).sum() > 0.7
        assert np.allclose([*found.min(0), *np.ptp(found, 0)], box)


def test_an_object_without_pixels_leaves_no_outline():
    assert (
        outlines.known([SegmentedImage("a", np.zeros((8, 8, 3), np.uint8), np.zeros((1, 8, 8), bool), [7], [])]) == {}
    )

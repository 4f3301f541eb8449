from pathlib import Path

import numpy as np
import pytest

from stages import settings
from stages.feedback import labels
from stages.feedback.labels import LabelledObjects
from tests.helpers.checkouts import ROOT

RULE = settings.load(ROOT / "params.yaml").feedback
BOXES = np.array([(0.1, 0.1, 0.2, 0.4), (0.5, 0.2, 0.3, 0.2)])


def shifted(x, y):
    return BOXES + np.array([x, y, 0, 0])


def objects(boxes=BOXES, classes=None, confidence=None):
    count = len(boxes)
    return LabelledObjects(
        np.asarray(boxes, float).reshape(-1, 4), np.zeros(count, int) if classes is None else np.array(classes),
        np.full(count, 0.9) if confidence is None else np.array(confidence),
    )  # fmt: skip


def test_views_are_merged_into_what_most_of_them_show():
    moved = shifted(0.02, 0)
    once = np.concatenate([BOXES, [(0.8, 0.8, 0.1, 0.1)]])  # a third object, in one view alone
    found = labels.merged([objects(), objects(moved), objects(once), objects(moved)], RULE)
    assert len(found.boxes) == 2
    assert found.boxes[np.argsort(found.boxes[:, 0])] == pytest.approx(shifted(0.01, 0))
    assert len(labels.merged([objects(), objects([]), objects([]), objects([])], RULE).boxes) == 0
    assert len(labels.merged([objects(), objects(), objects([]), objects([])], RULE).boxes) == 2


def test_two_readings_in_one_view_are_one_object():
    twice = objects(np.repeat(BOXES, 2, 0), confidence=[0.9, 0.6, 0.9, 0.6])
    assert len(labels.merged([twice] * 4, RULE).boxes) == 2


def test_each_object_has_at_most_one_reading_of_each_view_the_surest_first():
    more = objects([*BOXES, (0.5, 0.21, 0.3, 0.2), (0.2, 0.2, 0, 0.1)], confidence=[0.9, 0.6, 0.8, 0.9])
    found = labels.readings([objects(confidence=[0.7, 0.5]), more], 0.5)
    assert [of.confidence.tolist() for of in found] == [[0.7, 0.9], [0.5, 0.8]]  # and what has no area is nothing


def test_what_both_see_is_a_label_between_the_two():
    found = labels.agreed([objects(), objects(shifted(0, 0.02)[::-1])], RULE)
    assert found.boxes[np.argsort(found.boxes[:, 0])] == pytest.approx(shifted(0, 0.01))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (objects(), objects(BOXES[:1])),
        (objects(BOXES[:1]), objects()),
        (objects(), objects(classes=[0, 1])),
        (objects(), objects(shifted(0.3, 0.3))),
        (objects(), objects([])),
    ],
)
def test_an_object_that_one_alone_sees_rejects_the_picture(one, two):
    assert labels.agreed([one, two], RULE) == "an object that one detector alone sees"


def test_a_picture_of_nothing_is_rejected():
    assert labels.agreed([objects([]), objects([])], RULE) == "no object"


def test_mirrored_views_are_turned_back(monkeypatch):
    """A detector that always finds the bright square finds it at one place, however the picture is turned."""

    def predict(_weights, pixels, _imgsz):
        found = []
        for picture in pixels:
            ys, xs = np.nonzero(picture[..., 0] > 200)
            box = np.array([[xs.min(), ys.min(), np.ptp(xs) + 1, np.ptp(ys) + 1]]) / len(picture)
            found.append(np.column_stack([box, 0.9, 0]))
        return found

    monkeypatch.setattr(labels.predict, "predict", predict)
    monkeypatch.setattr(labels.predict, "names", lambda _: ["square"])
    pixels = np.zeros((1, 64, 64, 3), np.uint8)
    pixels[0, 8:24, 4:12] = 255
    (found,) = labels.label(pixels, [Path("a"), Path("b")], 64, RULE)
    assert found.boxes == pytest.approx(np.array([(4, 8, 8, 16)]) / 64)


def test_what_a_judge_takes_for_a_ghost_or_a_part_is_no_object(monkeypatch):
    ghost, doubtful = (0.5, 0.5, 0.2, 0.2), (0.1, 0.1, 0.2, 0.2)  # the second is surer to be an object
    rows = np.array([(*ghost, 0.9, 1), (*doubtful, 0.8, 0), (*doubtful, 0.6, 2)])
    monkeypatch.setattr(labels, "VIEWS", ((False, False),))
    monkeypatch.setattr(labels.predict, "predict", lambda _weights, pixels, _imgsz: [rows] * len(pixels))
    monkeypatch.setattr(labels.predict, "names", lambda _: ["die", *labels.quality.FAULTS])
    (found,) = labels.label(np.zeros((1, 32, 32, 3), np.uint8), [Path("a"), Path("b")], 32, RULE)
    assert found.classes.tolist() == [0] and found.boxes == pytest.approx(np.array([doubtful]))


def test_labels_are_matched_one_to_one_by_class_and_place():
    assert labels.matched(objects(), BOXES, np.zeros(2, int), 0.5) == 2
    assert labels.matched(objects(), BOXES, np.array([0, 1]), 0.5) == 1
    assert labels.matched(objects(BOXES[[0, 0]]), BOXES, np.zeros(2, int), 0.5) == 1
    assert labels.matched(objects(shifted(0.08, 0)), BOXES, np.zeros(2, int), 0.75) == 0

import numpy as np
import pytest

from stages.product import detection_doubt
from stages.product.card import Calibration
from stages.product.detection_doubt import Sighting

PICTURE = np.zeros((60, 100, 3), np.uint8)
PICTURE[10:30, 10:30] = 200  # what a detector sees, wherever a view has it


def corner(pixels):
    """Return where the square of a view lies, as shares of it: what a detector that is always right would say."""
    rows, columns = np.nonzero(pixels[..., 0])
    height, width = pixels.shape[:2]
    return [columns.min() / width, rows.min() / height, 20 / width, 20 / height]


def seen(*answers):
    """Return the things that a detector sees whose answer to each of the four views in turn is (confidence, class)."""
    todo = iter(answers)

    def look(pictures):
        return [np.array([[*corner(pixels), *next(todo)]]) for pixels in pictures]

    (things,) = detection_doubt.seen(look, [PICTURE], Calibration())
    return things


def test_views_are_turned_back_onto_each_other():
    (thing,) = seen((0.9, 1), (0.9, 1), (0.9, 1), (0.9, 1))
    assert thing.box == pytest.approx([0.1, 10 / 60, 0.2, 20 / 60])
    assert (thing.number, thing.views, thing.certainty) == (1, 4, pytest.approx(0.9))
    assert not Sighting(thing.box, 1, 0.95, 4).doubtful


def test_what_some_views_do_not_show_is_in_doubt():
    (thing,) = seen((0.99, 0), (0.01, 0), (0.99, 0), (0.01, 0))
    assert thing.views == 2 and thing.certainty == pytest.approx(0.495)
    assert thing.doubtful and detection_doubt.of([thing]) == pytest.approx(0.495)


def test_mistakes_are_those_of_the_likelier_decision():
    box = np.zeros(4)
    assert detection_doubt.of(
        [Sighting(box, 0, 0.9, 4), Sighting(box, 0, 0.3, 4), Sighting(box, 0, 1.0, 4)]
    ) == pytest.approx(0.4)
    assert detection_doubt.of([]) == 0


def test_certainty_is_the_calibrated_one():
    def look(pictures):
        return [np.array([[*corner(pixels), 0.8, 0]]) for pixels in pictures]

    by = Calibration(0.5, -1.0)
    ((thing,),) = detection_doubt.seen(look, [PICTURE], by)
    assert thing.certainty == pytest.approx(by.certainty(np.array([0.8]))[0])


def test_a_box_is_proposed_once_for_its_surer_class_and_not_where_it_is_probably_nothing():
    near, far = np.array([0.1, 0.1, 0.2, 0.2]), np.array([0.6, 0.6, 0.2, 0.2])
    things = [
        Sighting(near, 0, 0.6, 4),
        Sighting(near + 0.01, 1, 0.4, 4),
        Sighting(far, 1, 0.3, 2),
        Sighting(far / 3, 0, 0.1, 1),
    ]
    assert [thing.certainty for thing in detection_doubt.proposed(things)] == [0.6, 0.3]

import numpy as np
import pytest

from stages.extract import object_mask


def box_of(*rectangles):
    found = np.zeros((20, 20), bool)
    for top, bottom, left, right in rectangles:
        found[top:bottom, left:right] = True
    return found


def test_an_outline_that_was_guessed_is_one_object_without_holes():
    ring = box_of((2, 19, 2, 19)) & ~box_of((6, 12, 6, 12))
    speck = box_of((0, 1, 0, 1))
    assert np.array_equal(object_mask.solid(ring | speck), box_of((2, 19, 2, 19)))
    thin = np.eye(20, dtype=bool) | np.eye(20, k=1, dtype=bool)
    assert object_mask.solid(thin).sum() < 80  # it lies from corner to corner


@pytest.mark.parametrize("found", [
    box_of((4, 7, 4, 7), (4, 7, 13, 16), (13, 16, 4, 7), (13, 16, 13, 16)), box_of((0, 20, 0, 6)), box_of(),
])  # fmt: skip
def test_where_only_a_print_was_told_from_the_bin_the_object_is_the_ellipse_in_its_box(found):
    whole = object_mask.solid(found)
    assert 0.7 * 400 < whole.sum() < 0.85 * 400 and whole[10, 10] and not whole[0, 0]

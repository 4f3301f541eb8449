import numpy as np

from stages.judge import arrangement
from stages.judge.arrangement import ArrangementChange

A, B, C = (0.1, 0.1, 0.2, 0.1), (0.5, 0.5, 0.1, 0.3), (0.7, 0.1, 0.2, 0.2)


def objects(*boxes, classes=None):
    return np.array(boxes, float).reshape(-1, 4), np.array(classes or [1] * len(boxes), int)


def compare(mine, theirs):
    return arrangement.difference(*mine, *theirs, 0.5)


def test_same_moved_missing_and_extra_are_counted():
    assert compare(objects(A, B), objects(A, B)) == ArrangementChange(0, 2, 0, 0, 0)
    assert compare(objects(A), objects(A, B)) == ArrangementChange(0, 1, 0, 1, 0)
    assert compare(objects(A, B, C), objects(A, B)) == ArrangementChange(0, 2, 0, 0, 1)
    assert compare(objects(A, C), objects(A, B)) == ArrangementChange(0, 1, 1, 0, 0)
    assert compare(objects(A, classes=[2]), objects(A)) == ArrangementChange(0, 0, 0, 1, 1)  # another class is no move
    assert compare(objects(), objects(A, B)) == ArrangementChange(0, 0, 0, 2, 0)


def test_matching_is_one_to_one_and_the_best_in_all():
    left, right = (0.10, 0.1, 0.2, 0.2), (0.16, 0.1, 0.2, 0.2)
    between = (0.13, 0.1, 0.2, 0.2)
    assert compare(objects(between, right), objects(left, right)).same == 2
    assert compare(objects(between, between), objects(between)).extra == 1


def test_the_nearest_image_is_found_through_mirrors_and_shifts_of_the_whole():
    known = [objects(C), objects(A, B)]
    moved = tuple((x + 0.05, y - 0.04, w, h) for x, y, w, h in (A, B))
    mirrored = tuple((1 - x - w, y, w, h) for x, y, w, h in (A, B))
    for boxes in ((A, B), moved, mirrored):
        found = arrangement.nearest(*objects(*boxes), known, 0.7, 0.125)
        assert (found.place, found.changes) == (1, 0)
    assert arrangement.nearest(*objects(*moved), known, 0.7, 0.01).changes == 2


def test_a_single_object_elsewhere_is_another_arrangement():
    assert arrangement.nearest(*objects((0.6, 0.1, 0.2, 0.2)), [objects(C)], 0.7, 0.125).moved == 1


def test_it_says_what_changed():
    assert ArrangementChange(0, 1, 0, 1, 2).says() == "1 missing, 2 extra"
    assert ArrangementChange(0, 3, 0, 0, 0).says() == "no change"


def test_boxes_are_elsewhere_if_no_training_image_shows_an_object_there_however_it_is_turned():
    def count(mine, *known):
        return arrangement.elsewhere(objects(*mine)[0], [objects(*of) for of in known], 0.125)

    moved = tuple((x + 0.05, y - 0.04, w, h) for x, y, w, h in (A, B, C))
    mirrored = tuple((1 - x - w, y, w, h) for x, y, w, h in (A, B, C))
    for copy in ((A, B, C), moved, mirrored, (A, B), (A,)):
        assert count(copy, (A, B, C)) == 0
    far, other = (0.3, 0.45, 0.04, 0.04), (0.66, 0.42, 0.04, 0.04)
    assert count((A, B, far), (A, B, C)) == 1
    assert count((far, other, A), (A, B, C)) == 2 and count((far, other, A), (A, B, C), (A, B, far)) == 1
    assert count((far, other), (), (A,)) >= 1 and count((), (A,)) == 0


def test_what_is_missing_but_faintly_seen_makes_no_picture_new():
    lacking = compare(objects(A), objects(A, B))
    (gone,) = lacking.gone
    seen, none = np.array([gone + 0.01, (0.9, 0.9, 0.05, 0.05)]), np.empty((0, 4))
    assert lacking.faintly_there(seen, 0.5) and not lacking.faintly_there(seen[1:], 0.5)
    assert not lacking.faintly_there(none, 0.5)
    assert not compare(objects(A, C), objects(A, B)).faintly_there(seen, 0.5)  # one is elsewhere
    assert not compare(objects(A, B), objects(A, B)).faintly_there(seen, 0.5)

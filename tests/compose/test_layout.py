from dataclasses import replace

import numpy as np
import pytest

from stages.compose import layout
from stages.compose.layout import Layout, Placed
from stages.extract.habits import Habits
from tests.helpers.cut_outs import SHAPE, unit

REGION = np.zeros(SHAPE, bool)
REGION[10:-10, 20:-20] = True
ALL = np.ones(SHAPE, bool)


def habits(counts=(3,), touching=0.0, hidden=(0.0, 0.3), cut=0.0):
    return Habits(counts, touching, hidden, 0.4, 1.0, cut)


def arranged(seed, units=None, region=REGION, **by):
    return layout.arrange(units or [unit()], habits(**by), region, np.random.default_rng(seed))


def at(left, top, w=20, h=10):
    return Placed(
        np.ones((h, w, 3), np.float32), np.ones((1, h, w), bool), (h * w,), (7,), np.ones((h, w), bool), left, top
    )


@pytest.mark.parametrize("seed", range(10))
def test_as_many_objects_as_asked_apart_and_where_objects_lie(seed):
    made = arranged(seed)
    assert 2 <= len(made) <= 3
    assert (made.seen[1:] == made.areas[1:]).all()  # none hides another
    assert (made.owner > 0)[REGION].sum() > 0.95 * (made.owner > 0).sum()


@pytest.mark.parametrize("seed", range(10))
def test_objects_that_touch_hide_as_much_as_is_usual_and_never_more_than_may_be(seed):
    made = arranged(seed, counts=(6,), touching=0.99, hidden=(0.3,))
    left = made.seen[1:] / made.areas[1:]
    assert left.min() < 0.8
    assert (left >= 0.4).all()
    masks = [mask for _, mask in made.visible()]
    assert np.sum(masks, axis=0).max() == 1
    assert [mask.sum() for mask in masks] == made.seen[1:].tolist()


def test_hidden_by_as_much_as_is_asked():
    found = []
    for seed in range(30):
        made = arranged(seed, counts=(2,), touching=0.99, hidden=(0.4,))
        if len(made) == 2 and made.seen[1] < made.areas[1]:
            found.append(1 - made.seen[1] / made.areas[1])
    assert len(found) > 15
    assert abs(np.mean(found) - 0.4) < 0.06


def test_now_and_then_the_frame_cuts_an_object_off():
    shares = []
    for seed in range(30):
        made = arranged(seed, region=ALL, counts=(1,), cut=1.0)
        shares += (made.seen[1:] / made.areas[1:]).tolist()
        border = made.owner.copy()
        border[1:-1, 1:-1] = 0
        assert border.any() == (len(made) == 1)
    assert len(shares) > 10 and 0.4 <= min(shares) < 0.8


def test_what_the_frame_cut_off_stays_at_the_frame():
    sides = set()
    for seed in range(20):
        made = arranged(seed, [replace(unit(), sides=("left",))], ALL, counts=(1,))
        (one,) = made.placed
        assert one.masks.shape[1:] == (10, 20)
        sides.add({0: "left", SHAPE[1] - 20: "right"}[one.left])
    assert sides == {"left", "right"}


def test_turning_keeps_the_object_whole():
    for seed in range(10):
        shown = layout.turned(unit(), 36.0 * seed, 1.0)
        assert 0.9 * 200 < shown.masks.sum() < 1.1 * 200
        border = np.concatenate([shown.masks[0, 0], shown.masks[0, -1], shown.masks[0, :, 0], shown.masks[0, :, -1]])
        assert not border.any()


def test_an_object_that_would_hide_too_much_is_not_left():
    made = Layout(ALL)
    made.put(at(20, 20))
    assert made.leaves(at(30, 20), 0.4)
    assert not made.leaves(at(24, 20), 0.4)  # a fifth would be left of the lower one


@pytest.mark.parametrize("seed", range(10))
def test_what_may_stand_leans_away_from_the_middle_wherever_it_is_placed(seed):
    made = arranged(seed, [replace(unit(), away=(30.0, 0.0), may_stand=True)], ALL, counts=(2,))
    assert len(made) >= 1
    for number in range(1, len(made) + 1):
        ys, xs = np.nonzero(made.owner == number)
        x, y = xs.mean() - SHAPE[1] / 2, ys.mean() - SHAPE[0] / 2
        assert 26 < np.hypot(x, y) < 34
        axis = np.linalg.eigh(np.cov(xs, ys))[1][:, 1]
        assert abs(axis @ (x, y)) > 0.98 * np.hypot(x, y)


def test_what_has_room_only_where_it_was_lies_there():
    long = replace(unit(w=158), away=(0.0, 20.0))
    tops = {made.placed[0].top for made in (arranged(seed, [long]) for seed in range(10)) if len(made) == 1}
    assert tops == {60, 20}


def test_groups_of_more_objects_than_are_wanted_are_left_out():
    made = arranged(0, [unit(4), unit()])
    assert {len(one.masks) for one in made.placed} == {1}

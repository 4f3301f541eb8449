import numpy as np
import pytest

from stages.judge import object_faults, train
from stages.judge.object_faults import FAULTS
from tests.helpers.judged_scenes import SIZE, several


@pytest.fixture(scope="module")
def real():
    return several()


def test_added_objects_lie_beside_the_image_s_own_and_all_kinds_come(real):
    free, kinds = object_faults.of(real), set()
    for seed in range(40):
        pixels, added = train.peopled(real.pixels[0], real.masks[0], free, np.random.default_rng(seed))
        changed = np.abs(pixels.astype(int) - real.pixels[0]).max(-1) > 25
        kinds |= {fault for _, fault in added}
        assert len(added) <= train.ADDED[1]
        assert bool(added) == changed.any()
        assert (changed & real.masks[0].any(0)).sum() < 20
    assert kinds == {None, *FAULTS}


def test_a_full_image_gets_nothing_more(real):
    full = np.ones((1, SIZE, SIZE), bool)
    for seed in range(5):
        assert train.peopled(real.pixels[0], full, object_faults.of(real), np.random.default_rng(seed))[1] == []


def test_a_row_is_the_box_around_a_mask():
    mask = np.zeros((64, 64), bool)
    mask[16:32, 8:40] = True
    number, *corners = train.row(mask, 3).split()
    xs, ys = np.array(corners, float).reshape(-1, 2).T
    assert number == "3"
    assert (xs.min(), ys.min(), xs.max(), ys.max()) == (0.125, 0.25, 0.625, 0.5)
    assert train.row(np.zeros((64, 64), bool), 3) == ""

from collections import Counter

import numpy as np
import pytest

from stages.judge import planted
from tests.helpers.judged_scenes import reference, scene, several


@pytest.fixture(scope="module")
def real():
    return several()


def test_planted_candidates_are_what_they_are_called(real):
    pixels, truth = planted.planted(real, real, 5, 0.125, 0)
    assert truth == ["green"] * 5 + ["yellow"] * 5 + ["white"] * 5 + ["red"] * 5
    again, _ = planted.planted(real, real, 5, 0.125, 0)
    assert np.array_equal(pixels, again)
    bright = (pixels.min(-1) > 200).sum((1, 2))  # pixels of whole objects
    faint = ((pixels.min(-1) > 112) & (pixels.min(-1) <= 200)).sum((1, 2))
    assert (bright[:5] >= 2 * 6 * 16 * 0.7).all()
    assert (faint[5:10] > faint[:5].max()).all()
    assert bright[10:15].max() < bright[:5].min()


def test_graded_ones_are_new_and_spoilt_in_every_way(real):
    pixels, truth = planted.graded(real, real, 8, 0)
    assert Counter(truth) == {"green": 8, "yellow": 8, "white": 8}
    bright = (pixels.min(-1) > 200).sum((1, 2))  # pixels of whole objects
    whole = 6 * 16 * 0.7
    assert (bright[:16] >= 2 * whole).all()  # one spoilt among whole ones
    ghosts, cut = bright[[16, 20]], bright[[18, 22]]  # smeared ones and mixtures, between these, stay as bright
    assert ghosts.max() < whole and cut.max() < bright[:8].min()
    assert len(planted.graded(real.part([0]), real, 4, 0)[1]) <= 4  # of one image nothing but mixtures


def test_one_change_is_one_object_more_or_less(real):
    changed = planted.one_changed(real, 12, 0)
    assert len(changed) == 12
    for picture in changed:
        apart = [(np.abs(picture.astype(int) - one).max(-1) > 60).sum() for one in real.pixels]
        assert 40 < min(apart) < 200


def test_without_free_objects_only_copies_can_be_planted():
    crowded = reference(scene([(10, 10, 8, 16), (16, 12, 8, 16)]))
    assert set(planted.planted(crowded, crowded, 2, 0.125, 0)[1]) == {"red"}
    assert len(planted.one_changed(crowded, 3, 0)) == 0


def test_objects_of_a_single_image_recombine_to_nothing_new():
    alone = reference(scene([(10, 10, 8, 16)]))
    assert set(planted.planted(alone, alone, 2, 0.125, 0)[1]) == {"red"}
    assert len(planted.greens(alone, 3, 0)) == 0

import numpy as np
import pytest
import torch

from stages.judge import novelty
from stages.judge.copies import copies

SHIFT = 0.125


@pytest.fixture(scope="module")
def scenes():
    """Twelve grey bins, each with bright bars of its own."""
    rng = np.random.default_rng(0)
    made = np.full((12, 64, 64, 3), 90, np.uint8)
    for scene in made:
        for _ in range(4):
            y, x = rng.integers(4, 46, 2)
            h, w = (14, 5) if rng.random() < 0.5 else (5, 14)
            scene[y : y + h, x : x + w] = rng.integers(150, 230, 3)
    return made + rng.integers(0, 6, made.shape).astype(np.uint8)


def test_a_picture_is_at_no_distance_from_itself_its_mirror_and_its_other_exposure(scenes):
    for changed in (scenes, scenes[:, :, ::-1], scenes[:, ::-1], scenes + np.uint8(20)):
        found = novelty.nearest(np.ascontiguousarray(changed), scenes, SHIFT, 4)
        assert (found.place == np.arange(12)).all()
        assert found.distance.max() < 1e-3


@pytest.mark.parametrize("move", [(8, 0), (-3, 5), (7, -7)])
def test_a_shift_up_to_an_eighth_is_seen_through(scenes, move):
    moved = np.roll(scenes, move, (1, 2))
    edges = np.full_like(moved, 90)
    edges[:, 8:-8, 8:-8] = moved[:, 8:-8, 8:-8]
    whole = scenes.copy()
    whole[:, :8], whole[:, -8:], whole[:, :, :8], whole[:, :, -8:] = 90, 90, 90, 90
    moved = np.roll(whole, move, (1, 2))
    found = novelty.nearest(moved, whole, SHIFT, 4)
    assert (found.place == np.arange(12)).all()
    assert found.distance.max() < 0.02
    assert novelty.nearest(moved, whole, 0.0, 4).distance.min() > 0.05


def test_one_object_more_is_far_although_nearly_all_is_known(scenes):
    more = scenes.copy()
    more[:, 50:60, 50:60] = (250, 30, 30)
    assert novelty.nearest(more, scenes, SHIFT, 4).distance.min() > 0.1


def test_the_shortlist_changes_no_verdict(scenes):
    """100 pictures against ten training images in full: the same ones lie within the distance of copies."""
    rng = np.random.default_rng(1)
    made = np.concatenate([copies(scene, 9, SHIFT, rng) for scene in scenes[:10]])
    made = np.concatenate([made, rng.permuted(made, axis=1)[:10]])
    short, whole = (novelty.nearest(made, scenes[:10], SHIFT, count) for count in (6, 10))
    limit = np.percentile(whole.distance[:90], 99)
    assert len(made) == 100
    assert ((short.distance <= limit) == (whole.distance <= limit)).all()


def test_ranking_by_one_matrix_product_is_exact():
    """In blocks and over variants, as by brute force."""
    rng = np.random.default_rng(2)
    a, b = (torch.from_numpy(rng.normal(size=shape).astype(np.float32)) for shape in ((40, 48), (9, 3, 48)))
    brute = (a[:, None, None] - b[None]).square().sum(-1).amin(2).argsort(1)[:, :4]
    assert torch.equal(novelty.ranked(a, b, 4), brute)

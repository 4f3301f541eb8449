import numpy as np
import pytest

from stages.judge import object_faults
from tests.helpers.judged_scenes import several

RNG = np.random.default_rng


@pytest.fixture(scope="module")
def piece():
    return object_faults.of(several())[0]


def test_what_stands_free():
    boxes = np.array([(0.1, 0.1, 0.2, 0.2), (0.29, 0.1, 0.2, 0.2), (0.6, 0.6, 0.2, 0.2), (0.0, 0.6, 0.2, 0.2)])
    assert object_faults.standing_free(boxes).tolist() == [False, False, True, False]
    assert object_faults.standing_free(np.empty((0, 4))).tolist() == []


def test_a_piece_knows_its_image_and_class():
    found = object_faults.of(several())
    assert len(found) == 16
    assert {piece.number for piece in found} == {1}
    assert [piece.image for piece in found] == [k // 2 for k in range(16)]


def test_a_whole_piece_covers_what_is_under_it_and_a_ghost_by_half(piece):
    canvas = np.zeros((64, 64, 3), np.uint8)
    middle = tuple(int(v.mean()) for v in np.nonzero(piece.mask))
    assert object_faults.put(canvas, piece)[middle] == pytest.approx(piece.pixels[middle], rel=0.02)
    assert object_faults.put(canvas, object_faults.ghostly(piece, 0.5))[middle] == pytest.approx(
        piece.pixels[middle] / 2, rel=0.02
    )
    assert (object_faults.put(canvas, piece)[~piece.mask] < 130).mean() > 0.95


def test_a_cut_piece_is_cut_across_its_length(piece):
    for seed in range(5):
        left = object_faults.cut(piece, RNG(seed)).mask
        assert not (left & ~piece.mask).any()
        assert object_faults.KEPT[0] - 0.1 < left.sum() / piece.mask.sum() < object_faults.KEPT[1] + 0.15
        assert left.any(0).sum() == piece.mask.any(0).sum() and left.any(1).sum() < piece.mask.any(1).sum()


def test_a_smeared_piece_keeps_its_colours_and_place_and_loses_its_shape(piece):
    blob = object_faults.smeared(piece, RNG(0))
    both = (blob.mask & piece.mask).sum() / (blob.mask | piece.mask).sum()
    assert 0.2 < both < 0.95
    assert np.abs(blob.pixels[blob.mask].mean(0) - piece.pixels[piece.mask].mean(0)).max() < 40

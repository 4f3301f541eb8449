import numpy as np
import pytest

from stages.dataset import near_duplicates
from stages.dataset.bins import draw, scene, world


def found(pictures, hash_distance=6, tile_distance=0.06):
    traits = [near_duplicates.traits(p) for p in pictures]
    hashes, thumbs = np.array([t[0] for t in traits]), np.stack([t[1] for t in traits])
    return near_duplicates.clusters(hashes, thumbs, hash_distance, tile_distance)


def photographs(count, objects=4):
    return [world.render(world.Photograph("tube_mint", k, objects, False), 320, 180, seed=5)[1] for k in range(count)]


def test_copies_are_found_and_different_arrangements_are_not():
    pictures = photographs(24)
    noisy = np.clip(pictures[3] + np.random.default_rng(0).normal(0, 4, pictures[3].shape), 0, 255).astype(np.uint8)
    brighter = np.clip(pictures[7] * 1.08, 0, 255).astype(np.uint8)
    assert found(pictures) == []
    assert found([*pictures, noisy, brighter]) == [[3, 24], [7, 25]]


def test_one_object_less_is_another_picture():
    """The mean over the whole picture hardly changes; one tile does."""
    rng = np.random.default_rng(1)
    for number in range(6):
        planned = scene.plan(("tube_mint",), 4, 9 / 16, np.random.default_rng(number))
        fewer = scene.Scene(planned.objects[:-1], planned.light)
        pair = [draw.photograph(s, 320, 180, rng)[0] for s in (planned, fewer)]
        assert found(pair) == []
        again = draw.photograph(planned, 320, 180, rng)[0]  # the same scene under other camera noise
        assert found([pair[0], again]) == [[0, 1]]


def test_chains_are_one_cluster_and_blocks_do_not_matter(monkeypatch):
    pictures = [p for p in photographs(5) for _ in range(3)]
    whole = found(pictures)
    assert whole == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11], [12, 13, 14]]
    monkeypatch.setattr(near_duplicates, "BLOCK", 4)
    assert found(pictures) == whole


@pytest.fixture
def compared(monkeypatch):
    """A list of how many values are compared at a time, which fills itself."""
    counts, near = [], near_duplicates._near

    class Tile:
        def __init__(self, of):
            self.of = of

        def __getitem__(self, pairs):
            counts.append(self.of[pairs].size)
            return self.of[pairs]

    monkeypatch.setattr(near_duplicates, "_near", lambda pairs, tiles, *more: near(pairs, map(Tile, tiles), *more))
    return counts


def test_of_equal_pictures_each_is_compared_but_once(compared):
    """All pairs of 3,000 equal pictures would be four and a half million."""
    hash_, thumb = near_duplicates.traits(photographs(1)[0])
    found = near_duplicates.clusters(np.full(3000, hash_), np.repeat(thumb[None], 3000, 0), 6, 0.06)
    assert found == [list(range(3000))]
    assert sum(compared) < 10_000 * 2 * thumb.size


@pytest.mark.parametrize("where", [slice(None), slice(28, None)])
def test_of_different_pictures_with_one_hash_little_is_compared(compared, where):
    """Wherever it is that they differ."""
    thumbs = np.full((1000, 32, 32), 128, np.uint8)
    part = thumbs[:, where, where]
    part[:] = np.random.default_rng(0).integers(0, 256, part.shape)
    assert near_duplicates.clusters(np.zeros(1000, np.uint64), thumbs, 6, 0.06) == []
    assert sum(compared) < 1000 * 1000 / 2 * 2 * 16 * 2  # of each pair, no more than two of 64 tiles

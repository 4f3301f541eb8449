from collections import Counter

import pytest

from stages.dataset import coco, split
from stages.settings import Split

SHARES = Split(train=0.7, val=0.2, test=0.1, hash_distance=6, tile_distance=0.06)


def dataset(groups, classes=None, pinned=None):
    """Groups with so many images each; ids are 1000 × the group's place + 1, 2, …; every image shows class 1."""
    images, annotations = [], []
    for place, (group, count) in enumerate(groups.items()):
        for k in range(1, count + 1):
            id_ = 1000 * (place + 1) + k
            images.append(coco.Image(id_, f"{group}/{k}.png", 10, 10, (pinned or {}).get(id_)))
            shown = (classes or {}).get(id_, 1)
            annotations.append(coco.Annotation(id=id_, image_id=id_, category_id=shown, bbox=(1, 1, 2, 2)))
    return coco.Coco(images, [coco.Category(1, "a"), coco.Category(2, "b")], annotations)


def draw(data, near=(), seed=0):
    return {i: part for i, (part, _) in split.draw(data, {}, list(near), SHARES, seed).items()}


@pytest.mark.parametrize("count", [1, 2, 3, 7, 10, 20, 50, 150, 151])
def test_shares_within_each_group(count):
    places = Counter(draw(dataset({"a": count, "b": 30})).values())
    other = Counter({"train": 21, "val": 6, "test": 3})
    ours = places - other
    assert ours.total() == count
    for part, share in zip(split.PARTS, (0.7, 0.2, 0.1), strict=True):
        assert abs(ours[part] - share * count) < 1
    assert ours["train"] >= 1


def test_another_group_moves_no_other_image():
    before = draw(dataset({"a": 40, "b": 25}))
    after = draw(dataset({"a": 40, "b": 25, "c": 33}))
    assert {i: after[i] for i in before} == before


def test_seed_decides():
    data = dataset({"a": 60})
    assert draw(data) == draw(data)
    assert draw(data) != draw(data, seed=1)


def test_near_duplicates_never_straddle():
    near = [[1001, 1005, 1009], [1011, 1012], [1020, 2003], [2001, 2002, 2004, 2010]]
    for seed in range(20):
        places = draw(dataset({"a": 40, "b": 20}), near, seed)
        assert all(len({places[i] for i in cluster}) == 1 for cluster in near)
    assert places[1020] == "train"  # across groups: always where it can do no harm


def test_clusters_keep_the_shares():
    near = [[1000 + 2 * k - 1, 1000 + 2 * k] for k in range(1, 51)]
    assert Counter(draw(dataset({"a": 100}), near).values()) == {"train": 70, "val": 20, "test": 10}


def test_declared_places_are_kept_and_pull_their_near_duplicates():
    data = dataset({"a": 30}, pinned={1004: "test", 1005: "val"})
    for seed in range(10):
        places = draw(data, [[1004, 1010]], seed)
        assert places[1004] == places[1010] == "test"
        assert places[1005] == "val"


def test_the_only_image_with_a_class_trains():
    for seed in range(10):
        assert draw(dataset({"a": 20}, classes={1007: 2}), seed=seed)[1007] == "train"


def test_every_image_has_a_reason():
    data = dataset({"a": 30}, classes={1007: 2}, pinned={1004: "test"})
    reasons = split.draw(data, {}, [[1001, 1002], [1004, 1010]], SHARES, 0)
    assert reasons[1004][1] == "declared by the dataset"
    assert reasons[1010][1] == "near-duplicate of a test image"
    assert "only image" in reasons[1007][1]
    assert reasons[1001][1] == "drawn within a, with its 1 near-duplicates"
    assert reasons[1020][1] == "drawn within a"

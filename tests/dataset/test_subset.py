from itertools import combinations

import numpy as np
import pytest

from stages import files, left_out, paths
from stages.dataset import coco, subset
from stages.problem import Problem
from stages.settings import Products, Subset
from tests.helpers import projects


@pytest.fixture(scope="module")
def tubes(bins):
    dataset = coco.read(bins / "annotations.json")
    ids = [i.id for i in dataset.images if coco.group_of(i, {}) == "tube_mint" and not i.split]
    return coco.subset(dataset, ids)


def rule(count, prefer="separated", fewer=False):
    return Subset(group="tube_mint", count=count, prefer=prefer, fewer=fewer)


@pytest.mark.parametrize("prefer", ["separated", "random"])
def test_smaller_subsets_are_part_of_larger_ones(tubes, prefer):
    five, ten, twenty = (subset.pick(tubes, rule(n, prefer), 0, "s") for n in (5, 10, 20))
    assert five == ten[:5] and ten == twenty[:10]
    assert len({i for i, _ in twenty}) == 20
    assert all(reason for _, reason in twenty)


def test_all_is_all_and_too_many_is_refused(tubes):
    assert len(subset.pick(tubes, rule("all"), 0, "s")) == len(tubes.images)
    with pytest.raises(Problem, match=r"subsets\.ten\.count: tube_mint has 30 training images, 31 are wanted"):
        subset.pick(tubes, rule(31), 0, "subsets.ten.count: tube_mint")
    assert subset.pick(tubes, rule(31, fewer=True), 0, "s") == subset.pick(tubes, rule("all"), 0, "s")


@pytest.mark.parametrize(
    ("word", "groups"),
    [
        ("focus", ["a"]),
        ("other", ["b"]),
        ("rest", ["c", "d"]),
        ("every", ["a", "b", "c", "d", "m"]),
        ("d", ["d"]),
        ("but_focus", ["b", "c", "d"]),
        ("but_other", ["a", "c", "d"]),
    ],
)
def test_what_a_group_s_word_means(word, groups):
    products = Products(focus="a", other="b", apart=["m"])
    assert subset.meant(word, products, ["a", "b", "c", "d", "m"], "s") == groups


@pytest.mark.parametrize(("word", "said"), [("rest", "rest is none of .*a, b"), ("x", "no group 'x'.* has a, b")])
def test_a_word_that_means_no_group_is_refused(word, said):
    with pytest.raises(Problem, match=said):
        subset.meant(word, Products(focus="a", other="b", apart=[]), ["a", "b"], "s")


@pytest.mark.parametrize("other", [None, "nothing"])
def test_of_a_single_product_there_is_no_other(other):
    alone = Products(focus="a", other=other, apart=[])
    for word in ("other", "rest", "but_focus"):
        with pytest.raises(subset.Lacking):
            subset.meant(word, alone, ["a"], "s")
    assert subset.meant("but_other", alone, ["a"], "s") == subset.meant("every", alone, ["a"], "s") == ["a"]


@pytest.mark.parametrize(("name", "said"), [("other_ten", "other is none of"), ("twenty", "10 training images")])
def test_of_a_choice_that_cannot_be_made_a_note_is_left(name, said, bins, tmp_path, monkeypatch):
    projects.smoke(tmp_path)
    projects.change(tmp_path, {"products.other": None})
    monkeypatch.chdir(tmp_path)
    dataset = coco.read(bins / "annotations.json")
    ten = coco.subset(dataset, [i.id for i in dataset.images if i.file_name.startswith("tube_mint/")][:10])
    coco.write(paths.ANNOTATIONS, ten)
    files.write_json(paths.SPLIT, {"train": [image.id for image in ten.images]})
    subset.main(name)
    assert said in str(left_out.why(paths.SUBSETS / name))


def test_separated_prefers_distance_among_images_with_as_many_objects(tubes):
    picks = [i for i, _ in subset.pick(tubes, rule("all"), 0, "s")]
    annotations = coco.by_image(tubes)
    images = {i.id: i for i in tubes.images}
    for number in {len(a) for a in annotations.values()}:
        gaps = [subset.gap(annotations[i], images[i]) for i in picks if len(annotations[i]) == number]
        assert gaps == sorted(gaps, reverse=True)
    counts = [len(annotations[i]) for i in picks[:6]]
    assert sorted(counts) == [1, 2, 3, 4, 5, 6]  # not single objects only


def test_gap_is_the_distance_between_outlines():
    image = coco.Image(1, "a.png", 100, 50)
    boxes = [
        coco.Annotation(id=k, image_id=1, category_id=1, bbox=b)
        for k, b in enumerate([(0, 0, 20, 50), (50, 0, 10, 50)])
    ]
    assert subset.gap(boxes, image) == pytest.approx(0.3)
    assert subset.gap(boxes[:1], image) == 1.0


def test_random_depends_on_the_seed_and_not_on_the_order(tubes):
    turned = coco.Coco(tubes.images[::-1], tubes.categories, tubes.annotations)
    assert subset.pick(tubes, rule(9, "random"), 0, "s") == subset.pick(turned, rule(9, "random"), 0, "s")
    assert subset.pick(tubes, rule(9, "random"), 0, "s") != subset.pick(tubes, rule(9, "random"), 1, "s")


def test_the_gap_of_many_objects_is_that_of_every_pair():
    rng = np.random.default_rng(0)
    boxes = np.column_stack([rng.uniform(0, 900, (40, 2)), rng.uniform(4, 30, (40, 2))]).round(1)
    objects = [coco.Annotation(k, 1, 1, tuple(box)) for k, box in enumerate(boxes.tolist())]
    image = coco.Image(1, "a.png", 1000, 1000)
    pairs = [subset.gap(list(pair), image) for pair in combinations(objects, 2)]
    assert subset.gap(objects, image) == min(pairs) < 0.02

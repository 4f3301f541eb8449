import filecmp
from collections import Counter
from dataclasses import replace

import cv2
import msgspec
import numpy as np
import pytest
from pycocotools import mask as rle

from stages import files
from stages.dataset import coco, photo, segmentation
from stages.dataset.bins import catalog, draw, labels, scene, world
from stages.dataset.bins.world import Photograph
from stages.problem import Problem


def test_same_seed_same_bytes_and_another_seed_another_world(tmp_path, bins, params):
    (tmp_path / "again").mkdir()
    world.generate(params.now.bins, params.seed, tmp_path / "again")
    ours = sorted(p.relative_to(bins) for p in bins.rglob("*") if p.is_file())
    assert ours == sorted(p.relative_to(tmp_path / "again") for p in (tmp_path / "again").rglob("*") if p.is_file())
    _, differ, failed = filecmp.cmpfiles(bins, tmp_path / "again", [str(p) for p in ours], shallow=False)
    assert (differ, failed) == ([], [])
    wanted = Photograph("tube_mint", 1, 3, False)
    one = world.render(wanted, 160, 90, seed=0)[1]
    assert (one != world.render(wanted, 160, 90, seed=1)[1]).any()


def test_declared_counts_and_the_thesis_distribution():
    assert len(catalog.PRODUCTS) >= 14
    assert len(catalog.GROUPS) == 15
    assert len(catalog.GROUPS[catalog.MIXED]) == 2
    for group, (images, objects, counts) in {
        "tube_mint": (151, 725, (13, 10, 14, 11, 12, 91)),
        "bottle_azure": (150, 670, (8, 10, 18, 30, 36, 48)),
    }.items():
        drawn = world.objects_per_image(group, images)
        assert len(drawn) == images
        assert sum(drawn) == objects
        assert tuple(Counter(drawn)[k] for k in range(1, 7)) == counts


def test_photographs_hold_what_was_declared(bins, params):
    dataset = coco.read(bins / "annotations.json")
    rule = params.now.bins
    groups = Counter(coco.group_of(image, {}) for image in dataset.images)
    assert groups == {g: n + rule.extra_test.get(g, 0) for g, n in rule.images.items()}
    assert all((image.width, image.height) == (rule.width, rule.height) for image in dataset.images)
    extra = [image for image in dataset.images if image.split == "test"]
    assert len(extra) == sum(rule.extra_test.values())
    assert all((bins / "images" / image.file_name).is_file() for image in dataset.images)
    assert coco.class_names(dataset) == ["E", "T", "B", "C", "S"]


def test_boxes_are_around_visible_pixels_and_outlines_near_them(bins):
    dataset = coco.read(bins / "annotations.json")
    truth = {entry["image_id"]: entry for entry in files.read_json(bins / "truth.json")["images"]}
    annotations = coco.by_image(dataset)
    overlaps = []
    for image in dataset.images:
        owned = np.zeros((image.height, image.width), int)
        for k, thing in enumerate(truth[image.id]["objects"], 1):
            code = {"size": [image.height, image.width], "counts": thing["visible"]}
            exact = rle.decode(code)
            owned += exact
            found = [a for a in annotations[image.id] if a.id == image.id * 100 + k]
            assert len(found) == exact.any()
            if found:
                assert list(found[0].bbox) == rle.toBbox(code).tolist()
                drawn = segmentation.mask(found[0], image.width, image.height)
                overlaps.append((drawn & exact).sum() / (drawn | exact).sum())
        assert owned.max() <= 1  # each pixel belongs to the topmost object only
    assert 0.85 < np.mean(overlaps) < 0.995  # as a person outlines: close, not exact
    assert np.min(overlaps) > 0.5


def test_the_thesis_faults_are_planted(bins):
    dataset = coco.read(bins / "annotations.json")
    wrong = Counter(a.image_id for a in dataset.annotations if a.category_id == catalog.ENVIRONMENT)
    names = {image.id: image.file_name for image in dataset.images}
    assert {names[i]: n for i, n in wrong.items()} == {"bottle_azure/0006.png": 6, "can_cobalt/0003.png": 1}


def test_more_groups_and_photographs_leave_the_others_as_they_were(params):
    rule = msgspec.structs.replace(params.now.bins, images=params.now.bins.images | {"tube_navy": 5})
    before, after = set(world.plan(params.now.bins, 0)), set(world.plan(rule, 0))
    assert before < after
    assert {photograph.group for photograph in after - before} == {"tube_navy"}


def test_an_unknown_group_and_an_empty_world_are_refused(tmp_path, params):
    rule = msgspec.structs.replace(params.now.bins, images={"tube_mnt": 3})
    with pytest.raises(Problem, match="tube_mnt"):
        world.generate(rule, 0, tmp_path)
    with pytest.raises(Problem, match="empty"):
        world.generate(msgspec.structs.replace(rule, images={}, extra_test={}), 0, tmp_path)


def test_rolling_an_object_shows_another_side_of_its_label():
    rng = np.random.default_rng(0)
    planned = scene.plan(("bottle_azure",), 1, 9 / 16, rng)
    pose = replace(planned.objects[0], standing=False, tilt=0.0)
    light = replace(planned.light, noise=0.0)
    pictures = [
        draw.photograph(scene.Scene((replace(pose, roll=roll),), light), 320, 180, np.random.default_rng(0))
        for roll in (0.0, np.pi)
    ]
    (front, a), (back, b) = pictures
    assert (a == b).all()  # the same silhouette …
    assert np.abs(front[a > 0].astype(int) - back[a > 0]).mean() > 10  # … with other print on it
    away = cv2.dilate(a, np.ones((9, 9))) == 0
    assert (front[away] == back[away]).all()


def test_products_look_different():
    means = np.array([labels.skin(name, 320).mean((0, 1)) for name in catalog.PRODUCTS])
    apart = np.abs(means[:, None] - means[None]).max(-1)[~np.eye(len(means), dtype=bool)]
    assert apart.min() > 0.02
    assert {p.category for p in catalog.PRODUCTS.values()} == {2, 3, 4, 6}


def test_objects_stay_visible():
    """Stacking hides parts, but what is annotated can be recognised."""
    shares = []
    for number in range(30):
        planned, _, owner = world.render(Photograph("tube_mint", number, 6, False), 320, 180, seed=3)
        for k, pose in enumerate(planned.objects, 1):
            alone = draw.photograph(scene.Scene((pose,), planned.light), 320, 180, np.random.default_rng(0))[1]
            shares.append((owner == k).sum() / (alone > 0).sum())
    assert np.quantile(shares, 0.02) > 0.2
    assert 0.1 < np.mean(np.array(shares) < 0.98) < 0.9  # some are occluded, some are not


def test_without_its_topmost_object_a_photograph_is_the_same_elsewhere():
    arguments = (Photograph("can_cobalt", 4, 5, False), 320, 180, 0)
    planned, picture, owner = world.render(*arguments)
    rng = np.random.default_rng([0, list(catalog.GROUPS).index("can_cobalt"), 4, False])
    drawn = draw.photograph(scene.plan(("can_cobalt",), 5, 180 / 320, rng), 320, 180, rng)
    assert np.array_equal(picture, drawn[0]) and np.array_equal(owner, drawn[1])
    left, without, uncovered = world.render(*arguments, gone={4})
    assert left.objects == planned.objects[:4]
    gone = owner == 5
    assert (picture != without)[gone].any(-1).mean() > 0.9
    far = ~cv2.dilate(gone.astype(np.uint8), np.ones((101, 101), np.uint8)).astype(bool)
    assert far.any() and np.array_equal(picture[far], without[far])
    assert np.array_equal(owner[~gone], uncovered[~gone]) and not (uncovered == 5).any()


def test_stations_that_differ_have_photographs_for_testing_of_every_group_that_is_tested(bins, params):
    at_home = coco.read(bins / "annotations.json")
    seen = []
    for station in scene.SHIFTED:
        there = coco.read(bins / "shifted" / station / "annotations.json")
        groups = {name: len(images) for name, images in coco.grouped(there, {}).items()}
        assert groups == dict.fromkeys(params.now.bins.extra_test, params.now.bins.shifted)
        assert there.categories == at_home.categories and len(there.annotations) > len(there.images)
        seen += [photo.read(bins / "shifted" / station / "images" / image.file_name) for image in there.images]
    assert len({picture.tobytes() for picture in seen}) == len(seen)


def test_a_station_differs_in_what_its_name_says():
    """The same scene from higher up is smaller, in other light darker; another bin is blue."""
    sizes, light, blue = {}, {}, {}
    for station in (None, *scene.SHIFTED):
        _, picture, owner = world.render(Photograph("tube_mint", 1, 1, True, station), 320, 180, seed=0)
        sizes[station], light[station] = (owner == 1).sum(), picture.mean()
        blue[station] = (picture[..., 2].astype(float) - picture[..., 0])[owner == 0].mean()
    assert sizes["other_height"] < 0.8 * sizes[None]
    assert light["other_light"] < 0.8 * light[None]
    assert blue["other_bin"] > 20 + blue[None]

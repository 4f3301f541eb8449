from dataclasses import replace

import cv2
import numpy as np
import pytest

from stages import files
from stages.compose import paste
from stages.dataset import photo
from stages.extract import object_mask
from stages.extract.habits import Habits
from stages.extract.looks import Appearance
from stages.extract.shadow import Shadow
from stages.problem import Problem
from tests.helpers import lit_bins
from tests.helpers.cut_outs import SHAPE, unit

STAIN = (slice(24, 30), slice(44, 50))
EVEN, UNLIT = Appearance(np.ones(3), 0.0, 0.0), Shadow(0.0, 0.0, 0.0)


@pytest.fixture
def plain():
    """Dark empty bins and objects twice as bright as white, without shadows: what is bright is object."""
    dark = paste.EmptyBin(np.full((*SHAPE, 3), 20, np.uint8), np.full(3, 20.0), EVEN, UNLIT)
    bright = [replace(unit(k), pixels=np.full((10, 20, 3), 12.0, np.float32)) for k in (1, 2)]
    return paste.Stock(bright, [dark], Habits((4,), 0.4, (0.0, 0.3), 0.3, 1.0, 0.1), [EVEN], np.ones(SHAPE, bool))


def union(objects):
    return np.any([mask for _, mask in objects], axis=0)


def test_labels_are_exactly_what_was_drawn_and_nothing_is_without_one(plain, monkeypatch):
    monkeypatch.setattr(paste, "BLENDINGS", ("hard",))
    for seed in range(20):
        pixels, objects = paste.compose(plain, seed)
        assert np.array_equal(pixels.min(-1) > 120, union(objects))
        assert np.sum([mask for _, mask in objects], axis=0).max() == 1


def test_ways_of_blending_differ_at_the_seams_alone(plain, monkeypatch):
    made = []
    for way in paste.BLENDINGS:
        monkeypatch.setattr(paste, "BLENDINGS", (way,))
        made.append(paste.compose(plain, 5))
    (hard, objects), *others = made
    covered = union(objects).astype(np.uint8)
    seam = cv2.dilate(covered, np.ones((9, 9))) - cv2.erode(covered, np.ones((9, 9)))
    for pixels, same in others:
        assert all(np.array_equal(a[1], b[1]) for a, b in zip(objects, same, strict=True))
        changed = np.abs(pixels.astype(int) - hard).max(-1) > 2
        assert changed.any() and not (changed & (seam == 0)).any()


def test_the_seed_decides_and_every_layout_is_another(plain):
    assert np.array_equal(paste.compose(plain, 3)[0], paste.compose(plain, 3)[0])
    assert len({union(paste.compose(plain, seed)[1]).tobytes() for seed in range(10)}) == 10


@pytest.mark.parametrize("across", [-0.04, 0.04])
def test_a_shadow_darkens_where_it_falls_and_not_the_object(plain, across):
    lit, objects = paste.compose(plain, 1)
    shaded = replace(plain, bins=[replace(plain.bins[0], shadow=Shadow(0.6, across, 0.0))])
    dark, _ = paste.compose(shaded, 1)
    covered = union(objects)
    fallen = np.roll(covered, round(across * SHAPE[1]), axis=1) & ~cv2.dilate(
        covered.astype(np.uint8), np.ones((5, 5))
    ).astype(bool)
    assert (dark[fallen] < lit[fallen]).mean() > 0.8
    inner = cv2.erode(covered.astype(np.uint8), np.ones((5, 5))).astype(bool)
    assert (lit[inner] == dark[inner]).mean() > 0.95


def test_pictures_look_as_photographs_do(plain):
    warm = replace(plain, looks=[Appearance(np.array([1.5, 1.0, 0.5]), 3.0, 0.0)])
    pixels, objects = paste.compose(warm, 2)
    bare = pixels[~cv2.dilate(union(objects).astype(np.uint8), np.ones((5, 5))).astype(bool)]
    assert np.abs(bare.mean(0) - (30, 20, 10)).max() < 0.6
    assert np.abs(bare.std(0) - 3).max() < 0.5
    soft, _ = paste.compose(replace(plain, looks=[Appearance(np.ones(3), 0.0, 2.0)]), 2)
    sharp, _ = paste.compose(plain, 2)
    edge = np.abs(np.diff(soft.astype(int), axis=1)).max()
    assert edge < 0.5 * np.abs(np.diff(sharp.astype(int), axis=1)).max()


def test_where_no_photographs_tell_the_light_varies_by_what_is_assumed(plain):
    alone = replace(plain, looks=[])
    lights = [np.median(paste.compose(alone, seed)[0]) for seed in range(30)]
    assert 18 <= min(lights) < 20 < max(lights) <= 22


@pytest.mark.parametrize(("frame", "objects"), [
    ((120, 90), [(40, 30, 20, 14)]),  # one object in all of them
    ((224, 224), [(10 + 42 * (k % 5), 10 + 54 * (k // 5), 24, 16) for k in range(20)]),  # of twenty kinds
    ((120, 90), [(-10, 30, 140, 20)]),  # longer than the frame
    ((44, 120), [(10, 3, 6, 114), (28, 3, 6, 114)]),  # as long as it
    ((2048, 1536), [(300, 350, 300, 200), (1200, 900, 300, 200)]),
])  # fmt: skip
def test_of_boxes_alone_in_frames_of_any_size_something_is_composed(hand, tmp_path, frame, objects):
    kinds = [(f"kind {k}", k) for k in range(1, len(objects) + 1)]
    boxes = [{"bbox": box, "category_id": k, "segmentation": []} for k, box in enumerate(objects, 1)]
    hand([("a.png", *frame), ("b.png", *frame)], boxes, kinds, pictures=False)
    picture = np.random.default_rng(0).integers(60, 70, (*frame[::-1], 3), np.uint8)
    photo.save(tmp_path / "images" / "b.png", picture)
    for left, top, w, h in objects:
        picture[top : top + h, max(left, 0) : left + w] = (220, 200, 60)
    photo.save(tmp_path / "images" / "a.png", picture)
    of = paste.stock(tmp_path, None, None, None)
    made = [paste.compose(of, seed) for seed in range(8)]
    assert min(len(placed) for _, placed in made) >= 1
    assert {max(pixels.shape) for pixels, _ in made} == {min(max(frame), object_mask.LARGEST)}


@pytest.mark.parametrize(("room", "least", "most"), [(0, -0.5, 0.5), (3, 1.5, 3.5)])
def test_where_boxes_are_too_large_so_are_those_of_what_is_composed(hand, tmp_path, room, least, most):
    """A detector would else learn two sizes of box for one object."""
    objects = [(20, 20), (70, 30), (30, 70)]
    boxes = [{"bbox": (x - room, y - room, 16 + 2 * room, 16 + 2 * room)} for x, y in objects]
    hand([("a.png", 120, 110)], boxes, pictures=False)
    picture = np.random.default_rng(0).integers(60, 70, (110, 120, 3), np.uint8)
    for x, y in objects:
        cv2.circle(picture, (x + 8, y + 8), 8, (220, 200, 60), cv2.FILLED)
    photo.save(tmp_path / "images" / "a.png", picture)
    of = paste.stock(tmp_path, None, None, None)
    sides = []
    for seed in range(6):
        picture, placed = paste.compose(of, seed)
        bright = cv2.connectedComponentsWithStats((picture[..., 2] < 0.6 * picture[..., 0]).astype(np.uint8))[2][1:]
        free = [mask for _, mask in placed if np.ptp(np.nonzero(mask)[1]) + 1 >= 16]
        sides += [(np.ptp(np.nonzero(mask)[1]) + 1 - np.median(bright[:, cv2.CC_STAT_WIDTH])) / 2 for mask in free]
    assert least <= np.median(sides) <= most


def test_objects_that_fill_every_photograph_are_one_line(hand, tmp_path):
    hand([("a.png", 60, 40)], [{"bbox": (-5, -5, 70, 50), "segmentation": []}])
    with pytest.raises(Problem, match="background is visible almost nowhere"):
        paste.stock(tmp_path, None, None, None)


def test_where_the_own_photographs_show_no_bare_bin_others_do(tmp_path):
    own = put(tmp_path / "own", [stained(lit_bins.scene((40, 20), k)) for k in range(4)])
    known = put(tmp_path / "known", [stained(one) for one in lit_bins.SCENES])
    for one in paste.stock(own, known, None, None).bins:
        assert one.picture[STAIN].mean() < 0.8 * one.picture[20:34, 52:54].mean()


def stained(one):
    """A photograph of a bin with a dark spot, where no object hides it."""
    pixels = one.pixels.copy()
    pixels[STAIN][~one.masks[0][STAIN]] //= 2
    return replace(one, pixels=pixels)


def put(folder, scenes):
    """Write photographs and their annotations, as a person outlines objects."""
    images, annotations = [], []
    for number, one in enumerate(scenes, 1):
        photo.save(folder / "images" / one.name, one.pixels)
        height, width = one.pixels.shape[:2]
        images.append({"id": number, "file_name": one.name, "width": width, "height": height})
        x, y, w, h = cv2.boundingRect(one.masks[0].astype(np.uint8))
        outline = [x, y, x + w, y, x + w, y + h, x, y + h]
        annotations.append({"id": number, "image_id": number, "category_id": 1, "iscrowd": 0, "bbox": [x, y, w, h],
                            "segmentation": [outline]})  # fmt: skip
    categories = [{"id": 1, "name": "thing"}]
    files.write_json(
        folder / "annotations.json", {"images": images, "annotations": annotations, "categories": categories}
    )
    return folder

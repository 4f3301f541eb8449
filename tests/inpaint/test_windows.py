import shutil

import numpy as np
import pytest

from stages import files
from stages.dataset import coco, photo
from stages.inpaint import windows
from stages.inpaint.holes import Block, Drop, OneOf
from stages.problem import Problem

CAMERA = OneOf([Block(), Drop()])


@pytest.fixture
def flat(tmp_path):
    """A maker of folders of images, each of one colour of its own."""

    def make(name, count, first=0):
        images = [coco.Image(id=k, file_name=f"a/{k}.png", width=90, height=60) for k in range(1, count + 1)]
        for image in images:
            photo.save(tmp_path / name / "images" / image.file_name, np.full((60, 90, 3), first + image.id, np.uint8))
        coco.write(tmp_path / name / "annotations.json", coco.Coco(images, [], []))
        return tmp_path / name

    return make


def colours(of):
    return {int(value) for value in of.pixels.max((1, 2, 3))}


def test_held_out_images_are_of_the_last_folder_and_nowhere_else(flat):
    own, extra = flat("own", 10, 100), flat("extra", 20, 200)
    train, held = windows.load([own, extra], 64, 5, 0)
    assert train.seen.all() and held.seen.all()
    assert len(train.pixels) == 27 * 5 and len(held.pixels) == 3 * 5
    assert not colours(train) & colours(held)
    assert colours(train) >= {*range(101, 111)} and min(colours(held)) > 200
    alone, few = windows.load([own], 64, 5, 0)
    assert len(colours(alone)) == 8 and len(colours(few)) == 2


def test_one_image_is_too_few(flat):
    with pytest.raises(Problem, match="1 images are too few"):
        windows.load([flat("own", 1)], 64, 5, 0)


def test_what_a_camera_missed_is_gone(flat):
    train, held = windows.load([flat("own", 6, 50)], 64, 20, 0, CAMERA)
    for of in (train, held):
        assert not of.seen.all((1, 2)).any()  # no window is complete …
        assert not of.pixels[~of.seen].any() and of.pixels[of.seen].all()  # … and nothing is left of what is missing


def test_it_makes_no_difference_what_lies_where_the_camera_misses(flat, tmp_path):
    """The proof that no complete image reaches a network: other pixels under the holes, the same windows."""
    one = flat("one", 6, 50)
    two = tmp_path / "two"
    shutil.copytree(one, two)
    for k in range(6):
        path = two / "images" / "a" / f"{k + 1}.png"
        pixels = photo.read(path)
        _, seen = windows.incomplete(pixels, CAMERA, np.random.default_rng([0, k]))
        photo.save(path, np.where(seen[..., None], pixels, 255 - pixels))
        assert not np.array_equal(photo.read(path), pixels)
    for a, b in zip(windows.load([one], 64, 9, 0, CAMERA), windows.load([two], 64, 9, 0, CAMERA), strict=True):
        assert np.array_equal(a.pixels, b.pixels) and np.array_equal(a.seen, b.seen)


@pytest.mark.parametrize(
    ("rows", "columns"), [((0, 3), (0, 3)), ((50, 60), (85, 90)), ((20, 40), (5, 85)), ((0, 60), (40, 50))]
)
def test_the_window_around_a_hole_lies_in_the_frame_and_contains_it(rows, columns):
    hole = np.zeros((60, 90), bool)
    hole[slice(*rows), slice(*columns)] = True
    down, right = windows.around(hole)
    assert 0 <= down.start <= rows[0] and rows[1] <= down.stop <= 60
    assert 0 <= right.start <= columns[0] and columns[1] <= right.stop <= 90
    assert down.stop - down.start >= 30 <= right.stop - right.start


def test_silhouettes_are_masks_or_boxes(hand):
    path = hand(
        [("a.png", 40, 30)],
        [
            {"bbox": [2, 3, 10, 5], "segmentation": [[2, 3, 12, 3, 12, 8]]},
            {"bbox": [2, 3, 10, 5]},
            {"bbox": [0, 0, 40, 30], "iscrowd": 1},
        ],
    )
    mask, box = windows.silhouettes([coco.read(path)])
    assert 15 < mask.sum() < 40
    assert box.shape == (5, 10) and box.all()
    empty = files.read_json(path) | {"annotations": []}
    files.write_json(path, empty)
    with pytest.raises(Problem, match="no object"):
        windows.silhouettes([coco.read(path)])

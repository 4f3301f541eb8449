from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from stages import paths
from stages.compose import candidates, deconstruct
from stages.dataset import coco, photo, segmentation
from stages.extract import cutouts, occlusion
from stages.extract.cutouts import SegmentedImage
from stages.inpaint import classical
from stages.problem import Problem
from tests.helpers.piles import LYING, SHAPE, UPRIGHT, USUAL, bar, scene
from tests.helpers.squares import square


def pile_of_three():
    """A stack of two, and one that lies apart."""
    return scene(UPRIGHT & ~LYING, LYING, bar(120, 100, 30, 16))


def test_nothing_goes_on_which_something_lies():
    one = pile_of_three()
    for state in deconstruct.states([one], 0):
        assert 0 not in state.gone or 1 in state.gone[: state.gone.index(0)]


def test_all_states_come_once_and_none_shows_a_fragment_uncovered():
    found = list(deconstruct.states([pile_of_three()], 0))
    assert found[0].gone == (1, 0)  # the topmost first; and then what it had cut in two
    assert sorted(sorted(state.gone) for state in found) == [[0, 1], [2]]


def test_images_take_turns():
    few, apart = (scene(*(bar(10, 10 + 30 * k, 80, 16) for k in range(count))) for count in (2, 3))
    found = [state.image for state in deconstruct.states([few, apart], 0)]
    assert found == [0, 1, 0, 1, 1, 1, 1, 1]


def test_one_object_gives_nothing():
    assert not list(deconstruct.states([scene(bar(10, 10, 80, 16)), scene()], 0))


def test_what_remains_keeps_its_pixels():
    rng = np.random.default_rng(0)
    one = SegmentedImage(
        "a.png", rng.integers(0, 255, (*SHAPE, 3), np.uint8), pile_of_three().masks, [1, 2, 3], ["mask"] * 3
    )
    order = deconstruct.topmost_first(one, {1: USUAL[1], 2: USUAL[1], 3: USUAL[1]})
    for count, (made, objects) in enumerate(deconstruct.taken_apart(one, order[:2], classical.telea), 1):
        assert [category for category, _ in objects] == [1 + k for k in sorted(order[count:])]
        for _, mask in objects:
            assert np.array_equal(made[mask], one.pixels[mask])
        for k in order[:count]:
            assert not np.array_equal(made[one.masks[k]], one.pixels[one.masks[k]])


def test_where_only_a_box_is_known_all_of_it_is_filled(bright_squares):
    found, _ = cutouts.scenes(bright_squares({"bbox": [15, 20, 14, 14]}, square(50, 20)))
    place = found[0].place(0)
    assert place.sum() == 14 * 14 and place[20:34, 15:29].all()
    made, objects = next(deconstruct.taken_apart(found[0], (0,), classical.telea))
    assert len(objects) == 1 and made[20:34, 15:29].max() < 110


def test_candidates_with_exact_labels_each_made_again_from_its_row(composing, capsys):
    candidates.compose("deconstruct", deconstruct.rows, deconstruct.make)
    folder = paths.CANDIDATES / "deconstruct"
    rows = pd.read_csv(folder / "manifest.csv", keep_default_na=False).to_dict("records")
    dataset = coco.read(folder / "annotations.json")
    labels = coco.by_image(dataset)
    scenes = {one.name: one for one in cutouts.scenes(paths.SUBSETS / "ten")[0]}
    assert len(rows) == len(dataset.images) == 6
    for row, image in zip(rows, dataset.images, strict=True):
        pixels = photo.load(folder / image.file_name, image.width, image.height)
        made, objects = deconstruct.make(row)
        assert np.array_equal(made, pixels)
        assert len(objects) == len(labels[image.id]) == len(scenes[row["image"]].masks) - len(str(row["gone"]).split())
        for (category, mask), annotation in zip(objects, labels[image.id], strict=True):
            assert annotation.category_id == category
            assert np.array_equal(segmentation.mask(annotation, image.width, image.height).astype(bool), mask)
            assert np.array_equal(made[mask], scenes[row["image"]].pixels[mask])
    assert "0 of" in capsys.readouterr().out  # outlines by GrabCut


def test_no_image_of_two_objects_is_one_line(composing, bright_squares, monkeypatch):
    lone = bright_squares(square(20, 20))
    monkeypatch.setattr(paths, "SUBSETS", lone.parent)
    (lone.parent / "ten").symlink_to(lone)
    with pytest.raises(Problem, match="no image shows two objects"):
        candidates.compose("deconstruct", deconstruct.rows, deconstruct.make)


def test_the_order_is_one_of_the_possible_ones():
    one = pile_of_three()
    order = deconstruct.topmost_first(one, USUAL)
    on = occlusion.over(one, USUAL)
    assert sorted(order) == [0, 1, 2]
    assert not any(on[later, earlier] for earlier, later in pairwise(order))

import numpy as np
import pytest

from stages import paths
from stages.extract import placeable
from stages.problem import Problem
from stages.texture import sources

TEN = paths.SUBSETS / "ten"


def test_floors_are_free_of_objects_and_labels_lie_in_them(project):
    found, units, _ = placeable.usable(TEN)
    floors = sources.floors(found, units)
    assert len(floors) == 11  # the median, and each photograph's
    for floor, scene in zip(floors[1:], found, strict=True):
        assert floor.pixels.shape == scene.pixels.shape
        assert floor.free[scene.covered].all()  # objects lie on it
        assert not floor.free.all()
    labels = sources.labels(found, units)
    assert len(labels) >= 10
    colours = [np.stack([one.pixels.mean((0, 1)) for one in kind]).mean() for kind in (floors, labels)]
    assert colours[1] > colours[0] + 30  # mint tubes are white, the bin is grey


def test_squares_come_of_all_sources_in_turn(project):
    made = sources.squares(TEN, ["floor", "label"], 32, 7, 0)
    assert made.shape == (7, 32, 32, 3) and made.dtype == np.uint8
    assert np.array_equal(made, sources.squares(TEN, ["floor", "label"], 32, 7, 0))
    assert np.array_equal(made[:4], sources.squares(TEN, ["floor"], 32, 4, 0))
    assert not np.array_equal(made, sources.squares(TEN, ["floor", "label"], 32, 7, 1))


def test_a_square_lies_where_its_texture_is():
    free = np.zeros((40, 50), bool)
    free[5:30, 10:42] = True
    free[12, 20] = False
    room = sources._room(free, 8)
    for top, left in np.ndindex(room.shape):
        assert room[top, left] == free[top : top + 8, left : left + 8].all()


def test_no_room_for_a_square_is_one_line(project):
    with pytest.raises(Problem, match="no floor has room for squares of 256 pixels"):
        sources.squares(TEN, ["floor"], 256, 4, 0)

import numpy as np
import pytest
from torch.nn.functional import pad

from stages import paths
from stages.problem import Problem
from stages.texture import paint
from stages.texture.networks import SpatialGenerator, field
from stages.texture.recipe import CELL
from stages.training import weights

FLOOR = paths.TEXTURES / "floor"


def test_any_size_the_same_seed_the_same_pixels(project):
    brush = paint.painter(FLOOR)
    picture = brush(37, 101, 5)
    assert picture.shape == (37, 101, 3) and picture.dtype == np.uint8
    assert np.array_equal(picture, paint.painter(FLOOR)(37, 101, 5))
    assert not np.array_equal(picture, brush(37, 101, 6))


@pytest.mark.parametrize("tileable", [True, False])
def test_one_that_tiles_has_no_seam(project, monkeypatch, tileable):
    """Wrapped around, it is the picture of its noise wrapped around: where its edges meet, it goes on as elsewhere."""
    picture = paint.painter(FLOOR)(64, 96, 5, tileable=tileable)
    monkeypatch.setattr(paint, "field", lambda *of: wrapped(field(*of)))
    again = paint.painter(FLOOR)(64, 96, 5, tileable=tileable)
    assert np.array_equal(again, np.roll(picture, (CELL, 2 * CELL), (0, 1))) == tileable


def wrapped(noise):
    """Return noise moved by one place down and two across; what leaves on one side comes in on the other."""
    return pad(noise[None, :, 1:-1, 1:-1].roll((1, 2), (2, 3)), (1, 1, 1, 1), mode="circular")[0]


def test_it_paints_on_the_device_that_there_is(project, on_meta):
    with on_meta:
        paint.painter(FLOOR)(64, 96, 5)


def test_a_size_that_cannot_tile_is_one_line(project):
    with pytest.raises(Problem, match=f"100×96 pixels cannot tile: expected multiples of {CELL}"):
        paint.painter(FLOOR)(100, 96, 5, tileable=True)


def test_memory_does_not_grow_with_the_picture(project, monkeypatch):
    """No network sees more than a window of the noise."""
    seen, weave = [], SpatialGenerator.weave
    monkeypatch.setattr(SpatialGenerator, "weave", lambda self, part: seen.append(part.shape) or weave(self, part))
    paint.painter(FLOOR)(40 * CELL, 33 * CELL, 0)
    assert len(seen) == 9
    assert max(shape[2:] for shape in seen) == (paint.WINDOW + 2, paint.WINDOW + 2)


@pytest.mark.parametrize("harm", ["missing", "truncated"])
def test_broken_weights_are_one_line(project, harm):
    path = FLOOR / weights.GENERATOR
    path.write_bytes(path.read_bytes()[:100]) if harm == "truncated" else path.unlink()
    with pytest.raises(Problem, match=r"no whole weights|no such file"):
        paint.painter(FLOOR)


def test_what_is_not_trained_is_one_line(project):
    with pytest.raises(Problem, match="has this been trained"):
        paint.painter(paths.TEXTURES / "wall")

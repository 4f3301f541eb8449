import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages.judge import candidate_pictures
from stages.problem import Problem

SIZE = 64


@pytest.fixture
def folder(tmp_path):
    """A maker of candidates: squares, or whole frames where the rows know their boxes."""

    def make(boxes="", size=(SIZE, SIZE)):
        rows = [{"id": f"x_{k}", "boxes": boxes, "frame_width": 160, "frame_height": 90} for k in range(3)]
        for row in rows:
            Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), np.uint8)).save(
                tmp_path / f"{row['id']}.png"
            )
        return tmp_path, pd.DataFrame(rows)

    return make


def test_squares_stay_as_they_are_and_whole_frames_are_squashed(folder):
    where, manifest = folder()
    assert np.array_equal(candidate_pictures.load(where, manifest, SIZE)[1], np.asarray(Image.open(where / "x_1.png")))
    assert candidate_pictures.load(*folder(size=(32, 32)), SIZE).shape == (3, SIZE, SIZE, 3)
    assert candidate_pictures.load(*folder("[]", (160, 90)), SIZE).shape == (3, SIZE, SIZE, 3)


def test_a_candidate_of_another_shape_or_a_broken_one_is_named(folder):
    with pytest.raises(Problem, match=r"x_0\.png: 48×32 pixels"):
        candidate_pictures.load(*folder(size=(48, 32)), SIZE)
    with pytest.raises(Problem, match=r"x_0\.png: declared 160×90, but the file has 48×32"):
        candidate_pictures.load(*folder("[]", size=(48, 32)), SIZE)
    where, manifest = folder()
    (where / "x_2.png").write_bytes((where / "x_2.png").read_bytes()[:500])
    with pytest.raises(Problem, match=r"x_2\.png: not a whole picture"):
        candidate_pictures.load(where, manifest, SIZE)

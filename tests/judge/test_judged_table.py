import numpy as np
import pandas as pd
import pytest

from stages import paths, tables
from stages.dataset import photo
from stages.judge import judged_table
from stages.problem import Problem

ROW = {
    "verdict": "green", "reason": "new", "nearest": "g/0.png", "distance": 0.1, "threshold": 0.2,
    "arrangement_like": "g/1.png", "boxes": "[[0, 0, 1, 1, 0, 0.5]]",
}  # fmt: skip


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A maker of the table of two candidates, the second of them changed."""
    monkeypatch.chdir(tmp_path)

    def write(**changes):
        rows = [ROW | {"id": "x_0"}, ROW | {"id": "x_1"} | changes]
        for k in range(2):
            photo.save(paths.CANDIDATES / "x" / f"x_{k}.png", np.zeros((4, 4, 3), np.uint8))
        tables.write(paths.JUDGED / "x.csv", pd.DataFrame(rows))
        return judged_table.read("x")

    return write


def test_what_the_judge_wrote_is_read_as_it_was(written):
    assert written(nearest="=1.png").to_dict("records")[1] == ROW | {"id": "x_1", "nearest": "=1.png"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": "x_0"}, "line 2: x_0 comes twice"),
        ({"id": "x_2"}, "line 3: there is no picture"),
        ({"id": "../x/x_1"}, "leaves its folder"),
        ({"verdict": "blue"}, "line 3: verdict: 'blue' is not allowed"),
        ({"distance": "far"}, "line 2: distance, threshold: expected a number"),
        ({"distance": "", "threshold": ""}, "line 2: distance, threshold: expected a number"),
        ({"boxes": "[[1, 2]]"}, "line 3: boxes: expected"),
        ({"boxes": "["}, "line 3: boxes: expected"),
        ({"boxes": "{}"}, "line 3: boxes: expected"),
        ({"boxes": f"[[1, 2, 3, 4, 5, 1{'0' * 400}]]"}, "line 3: boxes: expected"),
        ({"distance": float("nan")}, "distance, threshold: expected a number"),
    ],
)
def test_a_table_mended_wrongly_by_hand_is_one_line(written, changes, said):
    with pytest.raises(Problem, match=said):
        written(**changes)

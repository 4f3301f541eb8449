import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from stages import files, paths
from stages.dataset import photo
from stages.judge import judge_candidates, picture_judge, set_metrics
from stages.problem import Problem
from tests.helpers.checkouts import ROOT


@pytest.fixture
def project(tmp_path, monkeypatch):
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)


def manifest(rows):
    columns = ["id", "experiment", "step", "seed", "parents", "boxes", "frame_width", "frame_height"]
    text = pd.DataFrame(rows, columns=columns).to_csv(index=False)
    files.write(paths.CANDIDATES / "wgan_ten" / "manifest.csv", text)


def test_an_experiment_without_candidates_is_one_line(project):
    manifest([])
    with pytest.raises(Problem, match="there are no candidates"):
        judge_candidates.main("wgan_ten")


def test_without_the_judge_s_detector_it_is_said_what_to_run(project):
    manifest([["x_0", "wgan_ten", 1, 0, "data/subsets/ten", "", 160, 90]])
    with pytest.raises(Problem, match=r"no detector that judges focus; run `dvc repro judge_detector@focus`"):
        judge_candidates.main("wgan_ten")


def test_an_experiment_that_there_is_not_is_one_line_with_those_there_are(project):
    with pytest.raises(Problem, match=r"there is no 'wgan_tenn'; params\.yaml has .*wgan_ten.*paste"):
        judge_candidates.main("wgan_tenn")


def test_however_many_there_are_a_few_are_in_memory_at_a_time(project, monkeypatch):
    """The last ones are compared with each other; all of the last step are among them."""
    count, together = 11, []

    def judge(pixels, _by, _params):
        together.append(len(pixels))
        return [int(picture.mean()) for picture in pixels]

    by = SimpleNamespace(copy=SimpleNamespace(distance=0.1, caught=1.0), training=[0] * 10)
    monkeypatch.setattr(judge_candidates, "PART", 4)
    monkeypatch.setattr(judge_candidates, "COMPARED", 6)
    monkeypatch.setattr(picture_judge, "of", lambda *_: by)
    monkeypatch.setattr(picture_judge, "judge", judge)
    monkeypatch.setattr(judge_candidates, "row", lambda id_, said, _by: {"id": id_, "said": said})
    monkeypatch.setattr(set_metrics, "distinct", lambda pixels, *_: len(pixels))
    manifest([[f"x_{k}", "wgan_ten", k // 8, k, "data/subsets/ten", "", 160, 90] for k in range(count)])
    for k in range(count):
        photo.save(paths.CANDIDATES / "wgan_ten" / f"x_{k}.png", np.full((64, 64, 3), 20 * k, np.uint8))
    judge_candidates.main("wgan_ten")
    table = pd.read_csv(paths.JUDGED / "wgan_ten.csv")
    assert table.to_dict("list") == {"id": [f"x_{k}" for k in range(count)], "said": [20 * k for k in range(count)]}
    assert together == [4, 4, 3]
    facts = files.read_json(paths.JUDGED / "wgan_ten.json")
    assert (facts["distinct"], facts["last"], facts["distinct_last"]) == (6, 3, 3)

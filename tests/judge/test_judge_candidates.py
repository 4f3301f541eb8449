import shutil

import pandas as pd
import pytest

from stages import files, paths
from stages.judge import judge_candidates
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

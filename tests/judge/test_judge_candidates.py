import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages import files, paths
from stages.judge import judge_candidates
from stages.problem import Problem
from tests.helpers.checkouts import ROOT

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
    assert np.array_equal(
        judge_candidates.candidates(where, manifest, SIZE)[1], np.asarray(Image.open(where / "x_1.png"))
    )
    assert judge_candidates.candidates(*folder("[]", (160, 90)), SIZE).shape == (3, SIZE, SIZE, 3)


def test_a_candidate_of_another_size_or_a_broken_one_is_named(folder):
    with pytest.raises(Problem, match=r"x_0\.png: declared 64×64, but the file has 32×32"):
        judge_candidates.candidates(*folder(size=(32, 32)), SIZE)
    where, manifest = folder()
    (where / "x_2.png").write_bytes((where / "x_2.png").read_bytes()[:500])
    with pytest.raises(Problem, match=r"x_2\.png: not a whole picture"):
        judge_candidates.candidates(where, manifest, SIZE)


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
    with pytest.raises(Problem, match=r"there is no experiment 'wgan_tenn'; params\.yaml has .*wgan_ten.*paste"):
        judge_candidates.main("wgan_tenn")

import re

import numpy as np
import pandas as pd
import pytest

from stages import files, paths, tables
from stages.dataset import photo
from stages.gan import compare as gans
from stages.report import quoted, thesis, thesis_gans, thesis_studies
from tests.helpers import projects


@pytest.fixture
def project(tmp_path, monkeypatch):
    projects.smoke(tmp_path)
    monkeypatch.chdir(tmp_path)


def done(steps=40, collapsed=False, changing=0):
    """A run with four looks, whose samples change by so many grey levels from one to the next."""
    looks = [np.full((6 * 8, 8, 3), 50 + changing * k, np.uint8) for k in range(4)]
    rows = {"step": [10, 20, 30, 40], "accuracy_real": 0.75, "accuracy_fake": 0.25, "accuracy": 0.5,
            "critic_loss": [4.0, 1.0, 0.5, 0.5]}  # fmt: skip
    facts = {"steps": steps, "collapsed": collapsed, "images": 10, "recipe": {"batch": 8}}
    grid = np.zeros((80, 80, 3), np.uint8)
    return gans.Done(facts, grid, np.concatenate(looks, 1), grid, pd.DataFrame(rows))


def said(parts):
    """Return the text of some HTML, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", " ".join(parts)))


def test_where_nothing_has_run_every_chapter_says_so(project):
    thesis.main()
    text = thesis.REPORT.read_text()
    for chapter in ("3.4.1", "3.4.2", "4.1", "4.2", "4.4.1", "4.4.5", "4.5", "The size study", "Inpainting"):
        assert re.search(rf"<h2[^>]*>{re.escape(chapter)}\b", text), chapter
    assert text.count("Not run here.") >= 6 and "88 of 88" in text


def test_found_of_present_stands_beside_the_thesis_s(project, params):
    files.write_json(paths.METRICS / "detector_test.json", {
        "tube_mint_found": 3, "tube_mint_present": 4, "tube_mint_certainty": 0.715,
    })  # fmt: skip
    text = said(thesis.detector(params))
    assert "here, tube_mint 3 of 4 75.0 % 71.5 %" in text
    assert "thesis, group 4 73 of 79 92.4 % 95.64 %" in text and "here, bottle_azure not run" in text


def test_a_collapse_and_oscillations_are_told(project, params):
    files.write_json(paths.METRICS / "verdicts.json", {"dcgan_group_distinct_last": 13, "dcgan_group_last": 100})
    found = {"dcgan_group": done(20, collapsed=True, changing=30), "wgan_group": done()}
    text = said(thesis_gans.group(params, found))
    assert "here, dcgan_group 13 of 100 samples 30.0; losses: critic 0.00 at step 20" in text
    assert "here, wgan_group not judged samples 0.0; losses: critic 0.00 no" in text


def test_fakes_through_the_detector(project, params):
    files.write_json(paths.METRICS / "detect_fakes.json", {
        "wgan_ten_pictures": 300, "wgan_ten_found": 1200, "wgan_ten_certainty": 0.61,
        "wgan_ten_green_pictures": 2, "wgan_ten_green_found": 0,
    })  # fmt: skip
    text = said(thesis_gans.detected(params))
    assert "94.4 %" in text and "wgan_ten, all 300 1,200 61.0 %" in text and "wgan_ten, green 2 0 none found" in text


def test_early_samples_at_equal_steps(project):
    figures = {"green": 0.1, "yellow": 0.2, "white": 0.3, "red": 0.4, "objects": 2.5, "certainty": 0.5}
    rows = [{"experiment": name, "step": step} | figures for name in ("wgan_ten", "wgan_transfer") for step in (10, 20)]
    tables.write(paths.PLOTS / "early" / "verdicts.csv", pd.DataFrame(rows))
    for name in ("wgan_ten", "wgan_transfer"):
        for step in (10, 20, 30, 40):
            photo.save(paths.GANS / name / "grids" / f"step_{step:09}.jpg", np.zeros((80, 80, 3), np.uint8))
    parts = thesis_gans.early({name: done() for name in ("wgan_ten", "wgan_transfer")})
    assert "wgan_transfer another product&#x27;s ten, going on from wgan_ten 20 10.0 %" in said(parts)
    assert " ".join(parts).count('width="16" height="48"') == 2  # two looks of the four


def test_all_sizes_stand_in_one_figure(project):
    files.write_json(paths.METRICS / "verdicts.json", {
        "size_1_distinct_last": 1, "size_1_last": 100, "size_10_distinct_last": 60, "size_10_last": 100,
        "size_10_c_t": -3.2,
    })  # fmt: skip
    parts = thesis_studies.sizes({"size_1": done(20, collapsed=True), "size_10": done()})
    assert " ".join(parts).count("<svg ") == 1
    text = said(parts)
    assert "size_10 10 10 50,000 32 40 no 60.000 -3.200 0.750 0.250 0.500 11.020 not measured here" in text
    assert "size_1 1 10 10,000 16 20 at step 20 1.000" in text


def test_hours_are_those_of_every_stretch(project):
    files.write(paths.TIMING / "gan" / "wgan_ten.csv", "step,images_per_second,memory_mb\n100,80,1\n150,40,1\n")
    assert quoted.trained("wgan_ten", 8) == pytest.approx(100 * 8 / 80 + 50 * 8 / 40)
    assert quoted.trained("wgan_twenty", 8) is None

import pytest

from stages import files, paths
from stages.report import study
from tests.helpers.study_rows import PARAMS, PRODUCTS, rows, summary


@pytest.fixture
def found():
    return files.rounded(summary(rows()))


def test_the_answer_leads_with_what_ten_are_worth(found):
    lines = study.sentences(found, PARAMS)
    assert lines[0].startswith("10 photographs with paste are worth 3") and "without (3" in lines[0]
    assert "hours of annotating (" in lines[1] and lines[1].endswith("at 5 minutes a photograph.")
    assert lines[2].startswith("The fakes of paste help: 0.5")
    assert "The smallest difference that this comparison sees four times in five is 0.0" in lines[2]


def test_where_fakes_beat_all_photographs_it_says_so():
    better = files.rounded(summary(rows(gain=0.3)))
    assert study.sentences(better, PARAMS)[0].startswith("10 photographs with paste are worth 100 or more without")


def test_the_section_shows_the_curve_every_arm_and_where_it_breaks(found, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert study.section(PARAMS) == []
    files.write_json(paths.STUDY, found)
    html = "\n".join(study.section(PARAMS))
    assert "<svg" in html and "annotated photographs" in html
    for word in (*PRODUCTS, "other bin", "separated", "map touching", "least seen"):
        assert word in html
    assert f"{found['arms']['paste']['value']:.3f}" in html


def test_a_study_without_runs_is_left_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files.write_json(paths.STUDY, summary({p: [] for p in PRODUCTS}))
    assert study.section(PARAMS) == []

from pathlib import Path

import pytest

from stages import left_out
from stages.schema import named_folder
from tests.helpers.checkouts import ROOT

PIPELINE = """stages:
  subset: {foreach: "${subsets}", do: {cmd: x, deps: [data/health], outs: ["data/subsets/${key}"]}}
  accepted:
    foreach: ${made}
    do:
      cmd: x ${key}
      deps: ["data/subsets/${item.subset}", "${item.known}", "${item.start}"]
      outs: ["data/accepted/${key}"]
      plots: ["reports/${key}.csv": {cache: false}]
  judge: {foreach: "${judge.subsets}", do: {cmd: x, deps: ["data/subsets/${item}"], outs: ["data/judge/${key}"]}}
"""
PARAMS = """
subsets: {ten: {}, other_ten: {}}
judge: {subsets: {focus: ten, other: other_ten}}
made:
  first: {subset: other_ten, known: data/none, start: data/none}
  again: {subset: ten, known: data/none, start: data/accepted/first/best}
  lent: {subset: ten, known: data/subsets/other_ten, start: data/none}
"""


@pytest.fixture
def pipeline(tmp_path, monkeypatch):
    """A project of which one of two subsets was left out."""
    monkeypatch.chdir(tmp_path)
    Path("dvc.yaml").write_text(PIPELINE)
    Path("params.yaml").write_text(PARAMS)
    Path("data/subsets/ten").mkdir(parents=True)
    Path("data/subsets/other_ten").mkdir()
    left_out.note(Path("data/subsets/other_ten"), "there is no other")


def run(name, key):
    stage = left_out.declared(name, key)
    if said := left_out.reason(stage):
        left_out.leave(stage, said)
    return said


def test_what_is_made_of_something_left_out_is_left_out_and_so_on(pipeline):
    assert run("accepted", "first") == run("accepted", "again") == run("judge", "other") == "there is no other"
    assert left_out.why(Path("data/accepted/again")) == "there is no other"
    assert Path("reports/first.csv").read_text() == ""
    assert "reports/first.csv" in str(left_out.why(Path("reports/first.csv")))
    assert run("judge", "focus") is None


def test_other_products_pictures_are_only_lent(pipeline):
    assert run("accepted", "lent") is None
    assert named_folder("data/subsets/other_ten") is None
    assert named_folder("data/subsets/ten") == Path("data/subsets/ten")


def test_only_a_stage_of_one_entry_can_be_left_out(pipeline, monkeypatch):
    for name, there in (("", False), ("judge_report", False), ("judge@other", True), ("dvc.yaml:judge@other", True)):
        monkeypatch.setenv(left_out.STAGE, name)
        assert (left_out.at_work() is not None) == there


def test_the_pipeline_s_own_stages_are_read_as_dvc_reads_them(monkeypatch):
    monkeypatch.chdir(ROOT)
    made = left_out.declared("arm", "warm_paste")
    assert {Path("data/subsets/ten"), Path("data/accepted/paste"), Path("models/detector/focus/known")} <= {
        *made.made_of
    }
    assert made.leaves == [Path("models/detector/focus/warm_paste")]
    assert Path("data/subsets/but_focus") not in left_out.declared("compose", "paste").made_of

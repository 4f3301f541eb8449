import pytest

from flows import dag, demo
from stages.problem import Problem
from tests.helpers.checkouts import ROOT, few_experiments


def test_the_demo_refuses_another_scale(tmp_path, monkeypatch):
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    few_experiments(tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Problem, match=r"scale: smoke; the demo runs demo \(for what is there: make repro\)"):
        demo.main()


def test_what_the_demo_runs_is_there():
    assert dag.needed(dag.read(ROOT), demo.CORE) >= {"gan@wgan_pretrain", "judge_detector@focus", "detector@baseline"}

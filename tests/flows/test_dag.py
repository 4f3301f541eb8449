import pytest

from flows import dag
from tests.helpers.checkouts import ROOT, run

STAGES = {
    "a": dag.Stage(frozenset(), False), "b@x": dag.Stage(frozenset("a"), True), "b@y": dag.Stage(frozenset("a"), True),
    "c": dag.Stage(frozenset(["b@x", "b@y"]), False), "d": dag.Stage(frozenset(), False),
}  # fmt: skip


def test_what_a_target_needs():
    assert dag.needed(STAGES, ["b@x"]) == {"a", "b@x"}
    assert dag.needed(STAGES, ["b"]) == {"a", "b@x", "b@y"}
    assert dag.needed(STAGES, ["c", "d"]) == STAGES.keys()
    with pytest.raises(ValueError, match="there is no stage 'e'"):
        dag.needed(STAGES, ["e"])


def test_upstream_comes_first():
    order = dag.ordered(dict(reversed(STAGES.items())))
    assert all(order.index(before) < order.index(name) for name in STAGES for before in STAGES[name].after)


def test_the_project_s_own_pipeline():
    stages = dag.read(ROOT)
    assert "judge_detector@focus" in stages["judge@focus"].after
    assert {"gan@wgan_ten", "arm@paste", "detector@baseline"} <= {n for n, stage in stages.items() if stage.gpu}
    assert not stages["report"].gpu
    assert "arm@ten" in dag.needed(stages, ["report"])


def test_what_is_stale_and_all_that_needs_it(pipeline):
    stages = dag.read(pipeline)
    assert dag.stale(pipeline, stages) == stages.keys()
    run(pipeline, "dvc", "repro", "-q")
    assert dag.stale(pipeline, stages) == set()
    (pipeline / "right").unlink()
    assert dag.stale(pipeline, stages) == {"right", "both"}

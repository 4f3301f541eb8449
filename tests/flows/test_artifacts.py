from flows import artifacts
from tests.helpers.checkouts import run


def test_metrics_with_their_difference_to_the_last_commit(pipeline):
    (pipeline / "dvc.yaml").write_text("stages: {a: {cmd: 'true', metrics: [right.json: {cache: false}]}}\n")
    (pipeline / "right.json").write_text('{"share": 0.5, "gone": 1}')
    run(pipeline, "git", "add", "-A")
    run(pipeline, "git", "commit", "-qm", "x")
    (pipeline / "right.json").write_text('{"share": 0.75, "new": 2}')
    assert {row["metric"]: (row["now"], row["change"]) for row in artifacts.changes(pipeline)} == {
        "right.share": (0.75, 0.25), "right.gone": (None, 0), "right.new": (2, 0),
    }  # fmt: skip

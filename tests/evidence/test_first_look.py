import sys

from stages import files
from stages.evidence import first_look
from tests.helpers import kills
from tests.helpers.checkouts import run

COMMAND = (sys.executable, "-m", "stages.evidence.first_look")


def test_a_killed_comparison_goes_on_where_it_was_and_says_the_same(done):
    result = done / first_look.RESULT
    trained = done / ".checkpoints" / "first_look"
    kills.once(COMMAND, done, lambda: any(trained.glob("*/[a-z]*/run.json")))
    before = {path: path.stat().st_mtime_ns for path in trained.glob("*/[a-z]*/0.pt")}
    run(done, *COMMAND)
    assert all(path.stat().st_mtime_ns == when for path, when in before.items())  # not trained again
    found = files.read_json(result)
    assert found["conditions"]["seeds"] == 1
    assert list(found["focus"]["arms"]) == ["ten", "ten_standard", "paste", "all"]
    run(done, *COMMAND)
    assert files.read_json(result) == found


def test_a_first_look_makes_no_stage_stale(done):
    assert "up to date" in run(done, "dvc", "status").stdout

import os
import signal
import subprocess
import sys
import time

from flows import child
from stages import files
from stages.evidence import first_look
from tests.helpers.checkouts import environment, run

COMMAND = (sys.executable, "-m", "stages.evidence.first_look")


def test_a_killed_comparison_goes_on_where_it_was_and_says_the_same(copied):
    result = copied / first_look.RESULT
    trained = copied / ".checkpoints" / "first_look"
    killed = subprocess.Popen(COMMAND, cwd=copied, env=environment(copied), stderr=subprocess.DEVNULL,
                              start_new_session=True)  # fmt: skip
    deadline = time.monotonic() + 240
    while len(list(trained.glob("*/[a-z]*/run.json"))) < 2:
        assert killed.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    child.end(killed.pid)  # its children die on their own time, and hold their locks until then
    before = {path: path.stat().st_mtime_ns for path in trained.glob("*/[a-z]*/0.pt")}
    run(copied, *COMMAND)
    assert all(path.stat().st_mtime_ns == when for path, when in before.items())  # not trained again
    found = files.read_json(result)
    assert found["conditions"]["seeds"] == 1
    assert list(found["focus"]["arms"]) == ["ten", "ten_standard", "paste", "all"]
    run(copied, *COMMAND)
    assert files.read_json(result) == found


def test_a_first_look_makes_no_stage_stale(copied):
    assert "up to date" in run(copied, "dvc", "status").stdout

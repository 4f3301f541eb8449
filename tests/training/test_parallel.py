import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stages.training import parallel
from tests.helpers.checkouts import ROOT, becomes

PARENT = """
import os, sys, time
from pathlib import Path
from stages.training import parallel
from tests.training.test_parallel import sleep

if __name__ == "__main__":
    with parallel.trainings(2) as pool:
        [pool.submit(sleep, sys.argv[1]) for _ in range(6)]
        time.sleep(60)
"""


def threads(_):
    return os.environ[parallel.THREADS]


def fail(_):
    raise ValueError("no")


def sleep(folder):
    Path(folder, str(os.getpid())).touch()
    time.sleep(60)


def test_each_training_has_one_thread_and_the_environment_stays(monkeypatch):
    monkeypatch.delenv(parallel.THREADS, raising=False)
    with parallel.trainings(2) as pool:
        assert set(pool.map(threads, range(4))) == {"1"}
    assert parallel.THREADS not in os.environ


def test_as_many_as_asked_for_and_no_more_than_the_threads_that_are_allowed(monkeypatch):
    monkeypatch.setenv(parallel.THREADS, "1")
    assert parallel.together() == 1
    monkeypatch.setenv(parallel.THREADS, "64")
    assert parallel.together() == len(os.sched_getaffinity(0))


@pytest.mark.skipif(Path("/proc/driver/nvidia").exists(), reason="torch says whether the GPU can be used")
def test_without_a_gpu_nobody_waits_for_torch():
    code = "import sys; from stages.training import parallel; parallel.together(); sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_what_has_not_begun_is_not_trained_for_nothing():
    with pytest.raises(ValueError, match="no"), parallel.trainings(1) as pool:
        jobs = [pool.submit(fail, 0), *(pool.submit(time.sleep, 0.2) for _ in range(20))]
        jobs[0].result()
    assert sum(job.cancelled() for job in jobs) > 10


def test_where_the_parent_is_killed_its_children_end(tmp_path):
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], cwd=ROOT, start_new_session=True)
    assert becomes(lambda: any(tmp_path.iterdir()), 60)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    children = [int(path.name) for path in tmp_path.iterdir()]
    assert becomes(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), 10)

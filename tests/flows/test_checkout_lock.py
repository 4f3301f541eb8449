import subprocess
import sys
import threading

import pytest

from flows import checkout_lock
from flows.quiet_checkout import Waits
from tests.helpers.checkouts import ROOT, environment, run


def test_one_at_a_time_works_in_a_checkout(pipeline):
    entered = threading.Event()

    def other():
        with checkout_lock.alone(pipeline):
            entered.set()

    thread = threading.Thread(target=other)
    with checkout_lock.alone(pipeline):
        thread.start()
        assert not entered.wait(0.5)
        with pytest.raises(Waits, match="is at work in"), checkout_lock.alone(pipeline, wait=False):
            pass
    assert entered.wait(60)
    thread.join()


def test_a_command_of_a_person_s_takes_its_turn(pipeline):
    command = [sys.executable, "-m", "flows.checkout_lock", "sh", "-c", "touch began; exit 3"]
    with checkout_lock.alone(pipeline):
        person = subprocess.Popen(command, cwd=pipeline, env=environment(ROOT), stdout=subprocess.PIPE, text=True)
        assert "waiting for it" in person.stdout.readline()
        assert not (pipeline / "began").exists()
    assert person.wait(60) == 3
    assert (pipeline / "began").exists()


def test_a_command_that_is_not_there_is_named_in_a_line(pipeline):
    command = [sys.executable, "-m", "flows.checkout_lock", "nosuch"]
    done = subprocess.run(command, cwd=pipeline, env=environment(ROOT), stderr=subprocess.PIPE, text=True)
    assert done.returncode and done.stderr == "tenfold: nosuch: No such file or directory\n"


def test_whoever_comes_drops_the_locks_that_a_killed_git_left(pipeline):
    for lock in ("index.lock", "refs/heads/main.lock"):
        (pipeline / ".git" / lock).touch()
    assert run(pipeline, "git", "commit", "-q", "--allow-empty", "-m", "x", ok=False).returncode != 0
    with checkout_lock.alone(pipeline):
        run(pipeline, "git", "commit", "-q", "--allow-empty", "-m", "x")

"""A worker whose machine dies in a step of a stage, and does it again once it is up."""

import os
import shutil
import signal
import subprocess
import sys

import pytest

from tests.helpers.checkouts import ROOT, environment, run

STAGES = """stages:
  first: {cmd: cat input > first, deps: [input], outs: [first]}
  second: {cmd: cat first > second, deps: [first], outs: [second]}
"""
WORKER = """
import os, signal, sys
from pathlib import Path
from dvc.fs import generic
from flows import remote

Path(os.environ["PLACE"], "pid").write_text(str(os.getpid()))
if os.environ["DIES"] == "push":
    generic.copy = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # of the entry by which others find what was made
remote.stage.fn("second", sys.argv[1])
"""
# What stands before a program, and with it the machine dies a moment after the program has begun.
SHIM = """#!/bin/sh
case " $* " in
*" $DIES "*) "{real}" "$@" & sleep 0.3; kill -9 $(cat "$PLACE/pid") $! ;;
*) exec "{real}" "$@" ;;
esac
"""


@pytest.mark.slow
@pytest.mark.parametrize("step", ["fetch", "checkout", "repro", "push"])
def test_what_a_machine_died_in_is_done_when_it_is_up_again(tmp_path, step):
    main, place = tmp_path / "main", environment(ROOT)
    main.mkdir()
    (main / "dvc.yaml").write_text(STAGES)
    (main / "input").write_text("go\n")
    for command in (("git", "init", "-q", "-b", "main"), ("dvc", "init", "-q"),
                    ("dvc", "remote", "add", "-q", "-d", "store", str(tmp_path / "store")), ("git", "add", "-A"),
                    ("git", "commit", "-qm", "Start"), ("git", "clone", "-q", ".", str(tmp_path / "worker")),
                    ("git", "commit", "-q", "--allow-empty", "-m", "Later")):  # fmt: skip
        run(main, *command)
    for name in ("git", "dvc"):
        shim = tmp_path / "bin" / name
        shim.parent.mkdir(exist_ok=True)
        shim.write_text(SHIM.format(real=shutil.which(name, path=place["PATH"])))
        shim.chmod(0o755)
    place |= {"PLACE": str(tmp_path), "PATH": f"{tmp_path / 'bin'}{os.pathsep}{place['PATH']}"}

    def work(dies):
        command = [sys.executable, "-c", WORKER, run(main, "git", "rev-parse", "HEAD").stdout.strip()]
        with log.open("a") as said:  # no pipe: what outlives the machine would hold it open
            return subprocess.call(
                command, cwd=tmp_path / "worker", env=place | {"DIES": dies}, stdout=said, stderr=said
            )

    log = tmp_path / "log"
    assert work(step) == -signal.SIGKILL, log.read_text()
    assert work("nowhere") == 0, log.read_text()
    taken = run(main, "dvc", "repro", "--pull", "second").stdout
    assert (main / "second").read_text() == "go\n" and "Running stage 'second'" not in taken

"""Slots on a machine whose GPUs are what a script in nvidia-smi's place says they are."""

import contextlib
import os
import signal
import threading

import pytest

from flows import gpu, local
from tests.helpers.checkouts import ROOT, flow

TWO = "GPU 0: NVIDIA A100 (UUID: GPU-aaa)\nGPU 1: NVIDIA A100 (UUID: GPU-bbb)\n"
PARTED = """GPU 0: NVIDIA A100 (UUID: GPU-aaa)
  MIG 3g.20gb     Device  0: (UUID: MIG-a1)
  MIG 3g.20gb     Device  1: (UUID: MIG-a2)
GPU 1: NVIDIA A100 (UUID: GPU-bbb)
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Return a function that gives this machine GPUs, and says which of them are allowed."""

    def has(listed, allowed=None):
        smi = tmp_path / "bin" / "nvidia-smi"
        smi.parent.mkdir(exist_ok=True)
        smi.write_text(f"#!/bin/sh\ncat <<'END'\n{listed}END\n")
        smi.chmod(0o755)
        monkeypatch.setenv("PATH", f"{smi.parent}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.delenv(gpu.ALLOWED, raising=False)
        if allowed is not None:
            monkeypatch.setenv(gpu.ALLOWED, allowed)

    monkeypatch.setattr(gpu, "LOCKS", tmp_path / "locks")
    monkeypatch.setattr(gpu, "PAUSE", 0.01)
    monkeypatch.setattr(gpu, "concurrency", lambda *_, **__: contextlib.nullcontext())  # as if nobody counted
    return has


@pytest.mark.parametrize(
    ("listed", "allowed", "names"),
    [
        ("", None, []),
        ("", "0", []),
        (TWO, None, ["GPU-aaa", "GPU-bbb"]),
        (TWO, "1", ["1"]),
        (TWO, " 1, 0", ["1", "0"]),
        (TWO, "GPU-bbb", ["GPU-bbb"]),
        (TWO, "", []),
        (TWO, "-1", []),
        (TWO, "0,-1,1", ["0"]),
        (PARTED, None, ["MIG-a1", "MIG-a2", "GPU-bbb"]),
        (PARTED, "MIG-a2", ["MIG-a2"]),
        (PARTED, "MIG-GPU-aaa/1/0", ["MIG-GPU-aaa/1/0"]),
    ],
)
def test_a_stage_is_shown_gpus_of_those_that_are_allowed_by_the_names_that_they_have(machine, listed, allowed, names):
    machine(listed, allowed)
    assert list(gpu.allowed()) == names
    with contextlib.ExitStack() as running:
        shown = [running.enter_context(gpu.some(1)) for _ in names or [""]]
    assert shown == ([{gpu.ALLOWED: name} for name in names] or [{}])


def test_a_stage_waits_while_others_have_all_gpus_whatever_they_call_them(machine):
    machine(TWO, "1")
    got = threading.Event()

    def other():
        with gpu.some(1) as shown:
            assert shown == {gpu.ALLOWED: "GPU-bbb"}
            got.set()

    with gpu.some(1) as mine:
        assert mine == {gpu.ALLOWED: "1"}
        machine(TWO, "GPU-bbb")
        waiting = threading.Thread(target=other)
        waiting.start()
        assert not got.wait(0.3)
    assert got.wait(10)
    waiting.join()


def test_several_gpus_are_had_together_or_not_at_all(machine):
    machine(TWO)
    with gpu.some(1) as one, contextlib.ExitStack() as held:
        assert gpu._taken(2, held) == []
        assert gpu._taken(1, held) != [one[gpu.ALLOWED]]  # the other one was given back
    with gpu.some(3) as all_of_them:
        assert all_of_them == {gpu.ALLOWED: "GPU-aaa,GPU-bbb"}


def test_the_locks_are_for_every_user_of_a_machine(machine):
    machine(TWO)
    before = os.umask(0o077)
    try:
        with gpu.some(2):
            assert gpu.LOCKS.stat().st_mode & 0o7777 == 0o1777
            assert [path.stat().st_mode & 0o777 for path in gpu.LOCKS.iterdir()] == [0o666] * 2
    finally:
        os.umask(before)


def test_other_gpus_have_another_limit(machine):
    machine(TWO)
    every = gpu.limit_name()
    machine(TWO, "MIG-GPU-aaa/1/0")
    assert gpu.limit_name().startswith(every) and gpu.limit_name() != every and "/" not in gpu.limit_name()


@pytest.mark.parametrize(("stage", "count"), [("gan@wgan_ten", 2), ("texture@floor", 1), ("judged@wgan_ten", 1)])
def test_an_experiment_that_shares_its_batches_gets_a_gpu_for_each_process(
    machine, tmp_path, monkeypatch, stage, count
):
    text = (ROOT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text.replace("processes: 1", "processes: 2"))
    machine(TWO)
    shown = {}
    monkeypatch.setattr(local.child, "run", lambda *_, **environment: shown.update(environment))
    local.run(stage, tmp_path, True, 2, print)
    assert len(shown[gpu.ALLOWED].split(",")) == count


COMPUTES = """
import os
from prefect import flow
from flows import gpu

@flow
def computes(killed):
    gpu.declare(1)
    with gpu.some(1):
        print("computes", flush=True)
        if killed:
            os._exit(9)

computes({})
"""


@pytest.mark.slow
def test_what_a_killed_run_had_is_free_for_the_next_one(tmp_path):
    """Without a server that goes on, which takes it back by itself."""
    slowly = {"PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300"}
    alone = {"PREFECT_API_URL": "", "PREFECT_HOME": str(tmp_path)} | slowly
    for killed in (True, False):
        process = flow(ROOT, alone, COMPUTES.format(killed), OMP_NUM_THREADS="1")
        try:
            code = process.wait(100)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # and the server that the killed one leaves
        assert code == (9 if killed else 0) and "computes" in process.communicate()[0].split()

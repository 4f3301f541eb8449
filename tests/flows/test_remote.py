"""Workers with clones of their own, that share with the main checkout only git, a DVC remote and the server."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from flows import main_branch, remote, worker
from tests.helpers.checkouts import becomes
from tests.helpers.machines import WORKERS, begin, divided, ended, kill, talk, working


@pytest.fixture(scope="module")
def machines(tmp_path_factory, server) -> Iterator[tuple[Path, dict[str, subprocess.Popen]]]:
    """A main checkout, and two workers at work in two clones of it."""
    place = tmp_path_factory.mktemp("machines")
    with working(place, server, {"url": str(place / "store")}) as processes:
        yield place / "main", processes


def together(test: Callable) -> Callable:
    """Mark a slow test of one whose machines the others use, too."""
    return pytest.mark.slow(pytest.mark.xdist_group("machines")(test))


@together
def test_two_machines_divide_the_stages_and_the_main_checkout_has_them_all(machines, server):
    main, _ = machines
    divided(main, server)


@together
def test_ending_a_run_ends_what_it_handed_out(machines, server):
    main, _ = machines
    process = begin(main, server, "endless")
    assert becomes(asleep, 180), ended(process)
    process.send_signal(signal.SIGTERM)
    ended(process)
    assert becomes(lambda: not asleep(), 120)


@together
def test_the_stage_of_a_worker_that_dies_runs_elsewhere(machines, server):
    main, workers = machines
    process = begin(main, server, "slow", patience=40)  # a worker's sign of life comes every 30 seconds
    note = main.parent / "shared" / "victim" / "who"
    assert becomes(lambda: note.exists() and note.read_text().endswith("\n"), 120), ended(process)
    victim = note.read_text().strip()
    kill(workers[victim])
    said = ended(process)
    assert "RAN ['slow']" in said, said
    (other,) = set(WORKERS) - {victim}
    assert (main / "slow").read_text() == f"slow {other}\n"
    with talk(server) as client:
        states = {one.state.type.value for one in client.read_flow_runs() if one.name == "slow"}
    assert states == {"COMPLETED", "CRASHED"}


def asleep() -> bool:
    return any(one.info["cmdline"] == ["sleep", "286"] for one in psutil.process_iter(["cmdline"]))


def test_what_is_not_committed_is_refused(pipeline):
    assert main_branch.changed(pipeline) == []
    (pipeline / "dvc.lock").write_text("")
    with (pipeline / "dvc.yaml").open("a") as file:
        file.write("# other\n")
    assert main_branch.changed(pipeline) == ["dvc.yaml"]
    with pytest.raises(RuntimeError, match=r"commit dvc.yaml first"):
        remote.ready(pipeline)


@pytest.mark.parametrize(("name", "commit"), [
    ("--help", "0" * 40), ("a; b", "0" * 40), ("a", "main"), ("a", "--orphan"), ("a", "0" * 40 + "\n"),
])  # fmt: skip
def test_only_a_stage_s_name_and_a_whole_commit_are_taken(tmp_path, name, commit):
    with pytest.raises(ValueError, match="not a stage and a commit"):
        remote.stage.fn(name, commit, checkout=str(tmp_path))


def test_a_worker_stays_out_of_a_checkout_with_changes_of_its_own(pipeline, monkeypatch, capsys):
    (pipeline / "dvc.yaml").write_text("stages: {}\n")
    monkeypatch.chdir(pipeline)
    monkeypatch.setattr(sys, "argv", ["worker", "--server", "http://127.0.0.1:1/api"])
    assert worker.main() == 2
    assert "dvc.yaml is not as committed" in capsys.readouterr().out

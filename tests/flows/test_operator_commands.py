"""What an operator does about arrivals, with the real git, DVC and Prefect."""

import itertools
import os
import signal
import subprocess
import sys

import pytest

from flows import branch, inbox, operator_commands, registration
from flows.inbox import Arrival
from stages import files, paths, settings
from stages.problem import Problem
from tests.helpers.arriving import arrive, begin, git, started
from tests.helpers.checkouts import ROOT, environment, run


@pytest.fixture
def begun(project, drop):
    """The project after a first run, and two products that have come onto main."""
    begin(project)
    drop("spray")
    return project


def another(project, drop, name):
    """A second product, of other content."""
    drop(name)
    files.write(project / inbox.INCOMING / name / "product.yaml", f"classes: []\n# {name}\n")


def command(project, server, *arguments):
    process = started(project, server, *arguments)
    said = process.communicate(timeout=240)[0]
    return process.returncode, said


def states(project):
    return {of.name: of.state for of in inbox.read(project)}


@pytest.mark.slow
def test_the_last_product_leaves_main_as_it_was_and_may_come_again(begun, drop, server):
    assert "promoted" in arrive(begun, server)
    in_use = {path.name for path in (begun / paths.RELEASED).glob("*/")}
    assert in_use == {"tube_mint", "spray"} and git(begun, "ls-files", "models") == "models/products/tube_mint.dvc"
    run(begun, "dvc", "gc", "--quiet", "--workspace", "--all-branches", "--all-tags", "--force")
    code, said = command(begun, server, "rollback", "spray", "--why", "it finds its shadow")
    assert code == 0, said
    log = git(begun, "log", "--format=%s", "main").splitlines()
    assert log == ["Roll back spray", "Measure spray", "Register spray", "Begin", "Start"]
    assert git(begun, "rev-parse", "main^{tree}") == git(begun, "rev-parse", "main~3^{tree}")
    assert not git(begun, "status", "--porcelain", "--untracked-files=no")
    assert "up to date" in run(begun, "dvc", "status").stdout  # nothing has to be trained again
    assert (begun / "loop.txt").read_text() == ""
    assert not (begun / paths.PRODUCTS / "spray").exists() and not branch.place(begun, "spray").exists()
    assert [path.name for path in (begun / paths.RELEASED).glob("*/")] == ["tube_mint"]
    (of,) = inbox.read(begun)
    assert (of.state, of.why) == ("rolled back", "it finds its shadow") and of.when
    assert "it finds its shadow" in git(begun, "log", "-1", "--format=%b")
    drop("spray")
    arrive(begun, server)
    assert states(begun) == {"spray": "promoted"}
    assert len(list((begun / paths.PRODUCTS / "spray" / "images").rglob("*.png"))) == 6


@pytest.mark.slow
def test_a_product_that_another_stands_on_is_taken_out_however_often_that_is_killed(begun, drop, server):
    another(begun, drop, "tin")
    said = arrive(begun, server)
    assert states(begun) == {"spray": "promoted", "tin": "promoted"}, said
    assert {"spray", "tin"} <= set((begun / "loop.txt").read_text().splitlines())  # the second was built with the first
    top = git(begun, "rev-parse", "main")
    for seconds in (4, 8):
        process = started(begun, server, "rollback", "spray")
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert git(begun, "log", "-1", "--format=%s", "main") in ("Measure tin", "Roll back spray")
    if states(begun)["spray"] == "promoted":
        code, said = command(begun, server, "rollback", "spray")
        assert code == 0, said
    assert git(begun, "rev-parse", "main^") == top
    params = settings.load(begun / "params.yaml")
    assert (params.dataset.arrived, params.products.focus) == (["tin"], "tin")
    assert "spray" not in (begun / "loop.txt").read_text() and "tin" in (begun / "loop.txt").read_text()
    assert files.read_json(begun / "reports/metrics/gate.json")["promote_product_why"] == "it is tin"
    assert not (begun / paths.PRODUCTS / "spray").exists() and (begun / paths.PRODUCTS / "tin").exists()
    assert "spray" not in git(begun, "ls-files", "models")  # else DVC would bring its detector back
    assert not git(begun, "status", "--porcelain", "--untracked-files=no")
    assert states(begun) == {"spray": "rolled back", "tin": "promoted"}


def test_what_is_in_focus_without_a_product(tmp_path):
    run(tmp_path, "git", "init", "-q", "-b", "main")

    def commit(focus, add="", remove=""):
        (tmp_path / "params.yaml").write_text(f"products: {{focus: {focus}}}\n")
        if add:
            files.write(tmp_path / paths.PRODUCTS / f"{add}.dvc", add)
        if remove:
            (tmp_path / paths.PRODUCTS / f"{remove}.dvc").unlink()
        run(tmp_path, "git", "add", "-A")
        run(tmp_path, "git", "commit", "-qm", "x")

    def focus_before(name, left):
        return registration.focus(operator_commands.before(tmp_path, name, left))

    commit("tube")
    commit("spray", add="spray")
    commit("tin", add="tin")
    assert focus_before("spray", ["tin"]) == "tube"
    assert focus_before("tin", ["spray"]) == "spray"
    commit("tin", remove="spray")
    assert focus_before("tin", []) == "tube"
    commit("spray", add="spray")  # again, when tin was in focus
    commit("spray", remove="tin")
    assert focus_before("spray", []) == "tube"


@pytest.mark.parametrize(("on_main", "reverts"), [
    (["Register spray", "Measure spray", "Mine"], True), (["Register spray", "Mine", "Measure spray"], False),
])  # fmt: skip
def test_a_rollback_takes_out_nothing_but_the_product_wherever_its_branch_has_been_moved(tmp_path, on_main, reverts):
    run(tmp_path, "git", "init", "-q", "-b", "main")
    for message in ("Start", *on_main):
        path = paths.PRODUCTS / "spray.dvc" if message == "Register spray" else message
        files.write(tmp_path / path, message)
        run(tmp_path, "git", "add", "-A")
        run(tmp_path, "git", "commit", "-qm", message)
    run(tmp_path, "git", "branch", "product/spray")
    assert operator_commands.reverted(tmp_path, "spray", "it misses") == reverts
    assert (tmp_path / "Mine").exists()
    assert (tmp_path / paths.PRODUCTS / "spray.dvc").exists() == (tmp_path / "Measure spray").exists() == (not reverts)


def test_what_cannot_be_rolled_back_is_said_in_one_line(begun, server):
    code, said = command(begun, server, "rollback", "spray")
    assert code == 2
    assert said.strip() == "tenfold: spray is not promoted; `python -m flows.arrivals` lists what is"
    inbox.mark(begun, Arrival("spray", "1", "claimed", ""), "promoted")
    (begun / "gate.py").write_text("# mine\n")
    before = git(begun, "rev-parse", "main")
    code, said = command(begun, server, "rollback", "spray")
    assert code == 2 and said.startswith("tenfold: ") and "has changes of its own" in said and said.count("\n") == 1
    assert git(begun, "rev-parse", "main") == before and (begun / "gate.py").read_text() == "# mine\n"
    with inbox.alone(begun), pytest.raises(Problem, match="a run is at work"):
        operator_commands.rollback(begun, "spray", "")


def test_only_what_has_ended_can_be_tried_again(tmp_path):
    with pytest.raises(Problem, match="spray is unknown"):
        operator_commands.retry(tmp_path, "spray")
    inbox.mark(tmp_path, Arrival("spray", "1", "claimed", ""), "rolled back")
    operator_commands.retry(tmp_path, "spray")
    assert states(tmp_path) == {"spray": "claimed"}
    with pytest.raises(Problem, match="spray is claimed"):
        operator_commands.retry(tmp_path, "spray")
    inbox.mark(tmp_path, Arrival("spray", "1", "claimed", ""), "rolled back")
    inbox.mark(tmp_path, Arrival("spray", "2", "claimed", ""), "promoted")
    with pytest.raises(Problem, match="spray is rolled back, promoted"):
        operator_commands.retry(tmp_path, "spray")


def test_of_several_it_is_the_one_that_has_the_name_that_is_tried_again_or_the_last_that_had_it(tmp_path, monkeypatch):
    seconds = itertools.count()
    monkeypatch.setattr(inbox, "now", lambda: f"{next(seconds):02}")

    def again():
        operator_commands.retry(tmp_path, "spray")
        (of,) = (of for of in inbox.read(tmp_path) if of.state == "claimed")
        return of

    first, second = (Arrival("spray", content, "claimed", "") for content in "12")
    inbox.mark(tmp_path, first, "failed")
    inbox.mark(tmp_path, second, "rolled back")
    assert again().content == "1"
    inbox.mark(tmp_path, first, "rolled back")
    inbox.mark(tmp_path, second, "rolled back")
    assert again().content == "2"
    inbox.mark(tmp_path, second, "rolled back")
    inbox.mark(tmp_path, first, "rolled back")
    assert again().content == "1"


def test_a_review_of_which_nobody_hears_is_kept_and_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    shows = branch.place(tmp_path, "spray") / "stages" / "judge" / "review.py"
    files.write(shows, "open('said', 'w')")
    with pytest.raises(Problem, match=r"nobody hears it at http://127.0.0.1:1/api .*; what was said is kept"):
        operator_commands.look(tmp_path, "spray")
    assert (branch.place(tmp_path, "spray") / "said").exists()


def test_that_nobody_hears_of_an_arrival_is_said(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "flows.arrivals", "notify"], cwd=tmp_path, capture_output=True, text=True,
        env=environment(ROOT) | {"PREFECT_API_URL": "http://127.0.0.1:1/api"}, timeout=120,
    )  # fmt: skip
    assert done.returncode == 2
    assert "nobody hears it" in done.stderr and "the next scan finds the folder" in done.stderr
    assert done.stderr.count("\n") == 1

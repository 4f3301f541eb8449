"""Arrivals with the real git, DVC and Prefect, and a loop that takes a second instead of an hour."""

import errno
import json
import os
import shutil
import signal
import subprocess
import time

import pytest
from prefect.artifacts import Artifact
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import arrivals, branch, checkout_lock, inbox, operator_commands
from flows.quiet_checkout import Waits
from stages import files, paths
from stages.dataset import coco
from tests.helpers.arriving import CODE, WHO, arrive, git
from tests.helpers.checkouts import becomes, flow, run


@pytest.mark.slow
def test_a_product_comes_onto_main_and_a_broken_one_is_put_aside(project, drop, server):
    drop("spray")
    drop("broken", whole=False)
    said = arrive(project, server)
    states = {of.name: of.state for of in inbox.read(project)}
    assert states == {"spray": "promoted", "broken": "quarantined"}, said
    assert git(project, "log", "--format=%s", "main").splitlines() == ["Measure spray", "Register spray", "Start"]
    assert git(project, "rev-parse", "main") == git(project, "rev-parse", "product/spray")
    assert not git(project, "status", "--porcelain", "--untracked-files=no")
    assert len(list((project / paths.PRODUCTS / "spray" / "images").rglob("*.png"))) == 6
    assert "not JSON" in files.read_json(project / inbox.QUARANTINE / "broken" / "reason.json")["why"]
    assert not branch.place(project, "spray").exists()
    assert "gate.json" in run(project, "dvc", "metrics", "show").stdout
    drop("spray")  # the same again
    arrive(project, server)
    assert git(project, "log", "--format=%s").splitlines()[0] == "Measure spray"
    assert inbox.ready(project) == []


def test_a_broken_image_that_a_fix_drops_is_not_held_against_a_product(project, drop, monkeypatch):
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    known = coco.read(project / paths.ANNOTATIONS)
    (project / paths.SOURCE_IMAGES / known.images[0].file_name).write_bytes(b"broken")
    coco.write(project / paths.ANNOTATIONS, coco.subset(known, [image.id for image in known.images[1:]]))
    drop("spray")
    of = inbox.claim(project, *inbox.ready(project))
    with checkout_lock.alone(project), pytest.raises(Waits):  # the dataset may be changing
        arrivals.checked(project, of)
    assert arrivals.checked(project, of).state == "checked"


def test_the_nightly_clean_up_waits_until_a_product_is_registered(project, drop, monkeypatch):
    registered = []

    def registering(checkout, *_):
        with pytest.raises(Waits), checkout_lock.alone(checkout, wait=False):
            pass
        registered.append(checkout)

    monkeypatch.setattr(branch, "register", registering)
    drop("spray")
    arrivals.checked(project, inbox.claim(project, *inbox.ready(project)))
    assert registered == [project]


def test_a_decision_that_could_not_be_noted_is_taken_again(project, drop, monkeypatch):
    """Main has moved already, and the disk is full."""
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    drop("spray")
    of = inbox.mark(project, arrivals.checked(project, inbox.claim(project, *inbox.ready(project))), "built")
    monkeypatch.setattr(
        arrivals.product_loop, "decided", lambda _: {"promote_product": 1, "promote_product_why": "good"}
    )
    mark = inbox.mark

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(inbox, "mark", full)
    with pytest.raises(OSError, match="No space left"):
        arrivals.decided(project, of)
    monkeypatch.setattr(inbox, "mark", mark)
    assert [one.state for one in inbox.read(project)] == ["built"]
    assert git(project, "log", "-1", "--format=%s", "main") == "Register spray"
    assert arrivals.decided(project, of).state == "promoted"
    assert not branch.place(project, "spray").exists()
    branch.place(project, "spray").mkdir(parents=True)  # as if killed just before it went
    arrivals.discard_ended(project)
    assert not branch.place(project, "spray").exists()


def test_annotations_without_bottom_are_put_aside(project, drop):
    drop("spray")
    (project / inbox.INCOMING / "spray" / "annotations.json").write_text('{"images": ' + "[" * 200_000)
    assert arrivals.checked(project, inbox.claim(project, *inbox.ready(project))).state == "quarantined"


def test_a_product_waits_while_an_image_of_the_dataset_is_broken(project, drop):
    known = coco.read(project / paths.ANNOTATIONS)
    (project / paths.SOURCE_IMAGES / known.images[0].file_name).write_bytes(b"broken")
    drop("spray")
    of = inbox.claim(project, *inbox.ready(project))
    with pytest.raises(Waits, match=r"the dataset that there is cannot be used \(.*not a whole picture"):
        arrivals.checked(project, of)
    assert [(one.state, one.tries) for one in inbox.read(project)] == [("claimed", 0)]


@pytest.mark.slow
def test_a_product_that_is_no_better_stays_on_its_branch(project, drop, server):
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(text.replace("\nseed: 0\n", "\nseed: 9\n"))
    run(project, "git", "commit", "-qam", "Another seed")
    before = git(project, "rev-parse", "main")
    drop("spray")
    said = arrive(project, server)
    (of,) = inbox.read(project)
    assert (of.state, of.why) == ("left", "it is spray"), said
    assert git(project, "rev-parse", "main") == before
    assert "promote_product" in git(project, "show", "product/spray:reports/metrics/gate.json")
    assert git(project, "diff", "--name-only", "main", "product/spray").splitlines() == [
        "data/products/spray.dvc", "dvc.lock", "params.yaml", "reports/metrics/gate.json",
    ]  # fmt: skip


@pytest.mark.slow
def test_a_checkout_with_changes_of_its_own_is_left_alone(project, drop, server):
    with (project / "gate.py").open("a") as gate:
        gate.write("# mine\n")
    before = git(project, "rev-parse", "main")
    drop("spray")
    said = arrive(project, server)
    assert "has changes of its own" in said
    assert git(project, "rev-parse", "main") == before and "# mine" in (project / "gate.py").read_text()
    run(project, "git", "checkout", "-q", "gate.py")
    arrive(project, server)  # the next scan goes on
    assert [of.state for of in inbox.read(project)] == ["promoted"]


@pytest.mark.slow
def test_where_main_has_moved_meanwhile_the_branch_is_built_anew(project, drop, server):
    drop("spray")
    process = flow(project, server, CODE, **WHO)
    assert becomes(lambda: any(of.state == "checked" for of in inbox.read(project)), 120)
    (project / "note.txt").write_text("mine\n")
    run(project, "git", "add", "note.txt")
    run(project, "git", "commit", "-qm", "Meanwhile")
    said = process.communicate(timeout=240)[0]
    assert "main has moved; building the branch anew" in said, said
    subjects = git(project, "log", "--format=%s", "main").splitlines()
    assert subjects == ["Measure spray", "Register spray", "Meanwhile", "Start"]
    assert [of.state for of in inbox.read(project)] == ["promoted"]


@pytest.mark.slow
def test_an_arrival_that_fails_holds_nobody_up_and_is_given_up_in_the_end(project, drop, server):
    sound = (project / "gate.py").read_text()
    poison = sound + "if params['products']['focus'] == 'mist': raise SystemExit('tenfold: mend hushhush')\n"
    (project / "gate.py").write_text(poison)
    run(project, "git", "commit", "-qam", "Poison")
    drop("mist")
    drop("spray")
    files.write(project / inbox.INCOMING / "mist" / "product.yaml", "classes: []\n# mist\n")
    process = flow(project, server, CODE, MY_TOKEN="hushhush", **WHO)
    said = process.communicate(timeout=240)[0]
    assert process.returncode != 0 and "mist (checked, 1 of 3 tries)" in said
    assert "hushhush" not in said
    mist, spray = inbox.read(project)
    assert (mist.state, mist.tries, spray.state) == ("checked", 1, "promoted")
    assert mist.why.endswith("mend ***")
    for _ in range(2):
        mist = inbox.stopped(project, mist, "again", tries=1)
    assert mist.state == "failed"
    process = flow(project, server, CODE, **WHO)
    assert "mist" not in process.communicate(timeout=240)[0].partition("mist  ")[0] and process.returncode == 0
    (project / "gate.py").write_text(sound)
    run(project, "git", "commit", "-qam", "Mend")
    operator_commands.retry(project, "mist")
    arrive(project, server)
    assert [of.state for of in inbox.read(project)] == ["promoted", "promoted"]
    with temporary_settings({PREFECT_API_URL: server["PREFECT_API_URL"]}):
        rows = json.loads(Artifact.get("arrivals").data)
    assert {row["product"]: row["state"] for row in rows} == {"mist": "promoted", "spray": "promoted"}


@pytest.mark.slow
def test_killed_again_and_again_it_ends_in_the_same_tree(project, drop, server, tmp_path):
    untouched = tmp_path / "untouched"
    drop("spray")
    shutil.copytree(project, untouched, symlinks=True)
    arrive(untouched, server)
    seconds = [3 + 1.2 * k for k in range(6)]
    killed = 0
    for wait in seconds:
        process = flow(project, server, CODE, **WHO)
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            killed += 1
        process.wait()
        assert git(project, "log", "--format=%s", "main").splitlines()[0] in ("Start", "Measure spray")  # never half
        time.sleep(0.2)
    arrive(project, server)
    assert killed >= 3
    assert [of.state for of in inbox.read(project)] == ["promoted"]
    assert git(project, "rev-parse", "main^{tree}") == git(untouched, "rev-parse", "main^{tree}")
    assert not git(project, "status", "--porcelain", "--untracked-files=no")

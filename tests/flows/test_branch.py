"""A product's branch and its worktree, with the real git and DVC."""

import pytest

from flows import arrivals, branch, inbox
from flows.quiet_checkout import Waits
from flows.repository import commit, dvc, git
from stages import files, paths
from tests.helpers.arriving import WHO

TABLE = paths.REVIEWS / "paste.csv"
WORDS = "when,who,id,picture,what,value\n"


@pytest.fixture
def registered(project, drop, monkeypatch):
    """A project with a product on its branch, whose candidates a person has looked at."""
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    drop("spray")
    assert arrivals.checked(project, inbox.claim(project, *inbox.ready(project))).state == "checked"
    files.write(branch.place(project, "spray") / TABLE, f"{WORDS}spray\n")
    return project


def anew(project):
    """Register the product again."""
    (of,) = inbox.read(project)
    arrivals.checked(project, of)


def table(project, at="product/spray"):
    return git(project, "show", f"{at}:{TABLE}").splitlines()[1:]


def test_what_people_said_outlives_its_worktree_and_a_branch_that_is_built_anew(registered):
    branch.discard(registered, "spray")
    assert table(registered) == ["spray"]
    files.write(registered / TABLE, f"{WORDS}main\n")
    commit(registered, "More", str(TABLE))
    anew(registered)
    assert table(registered) == ["main", "spray"]
    assert git(registered, "log", "--format=%s", "product/spray").splitlines() == ["Register spray", "More", "Start"]
    assert not git(registered, "tag")


def test_what_people_said_outlives_a_try_that_fails(registered, monkeypatch):
    tidy = branch.arrival.tidy

    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(branch.arrival, "tidy", full)
    with pytest.raises(OSError, match="No space left"):
        anew(registered)
    monkeypatch.setattr(branch.arrival, "tidy", tidy)
    anew(registered)
    assert table(registered) == ["spray"]


def test_what_people_said_last_comes_onto_main_with_the_product(registered):
    branch.promote(registered, "spray")
    assert table(registered, "main") == ["spray"] and (registered / TABLE).exists()
    branch.discard(registered, "spray")
    assert git(registered, "rev-parse", "product/spray") == git(registered, "rev-parse", "main")


def test_a_person_s_commit_on_a_branch_that_is_built_anew_is_kept(registered, capsys):
    worktree = branch.place(registered, "spray")
    files.write(worktree / "notes.md", "mine")
    commit(worktree, "Notes", "notes.md")
    mine = git(worktree, "rev-parse", "--short", "HEAD")
    branch.discard(registered, "spray")
    kept = git(registered, "rev-parse", "--short", "product/spray")
    anew(registered)
    assert f"is kept as kept/spray-{kept}" in capsys.readouterr().out
    assert git(registered, "show", f"kept/spray-{kept}:notes.md") == "mine"
    assert git(registered, "merge-base", "--is-ancestor", mine, f"kept/spray-{kept}") == ""


def test_a_folder_that_is_no_worktree_is_removed(project):
    branch.place(project, "spray").mkdir(parents=True)
    files.write(project / TABLE, WORDS)
    branch.discard(project, "spray")
    assert not branch.place(project, "spray").exists() and git(project, "log", "--format=%s") == "Start"


def test_a_worktree_shares_the_cache_wherever_the_checkout_lies(project):
    elsewhere = project.rename(project.with_name("Prüfstand"))
    worktree = branch.opened(elsewhere, "spray")
    assert (worktree / dvc(worktree, "cache", "dir")).resolve() == elsewhere / ".dvc" / "cache"


def test_what_a_product_left_behind_is_replaced_by_what_came_of_it_next_but_for_a_person_s(project):
    worktree, mine = branch.opened(project, "spray"), project / paths.RELEASED / "spray"
    for weights in ("first", "second"):
        files.write(worktree / paths.RELEASED / "spray" / "weights.pt", weights)
        dvc(worktree, "add", "--quiet", str(paths.RELEASED / "spray"))
        branch.hand_over(project, "spray")
        assert (mine / "weights.pt").read_text() == weights
    files.write(mine / "notes.txt", "mine")
    with pytest.raises(Waits, match=r"models/products/spray/notes\.txt is in the way"):
        branch.hand_over(project, "spray")
    assert (mine / "notes.txt").read_text() == "mine"

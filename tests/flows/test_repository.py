import subprocess
import sys

import pytest

from flows import repository
from tests.helpers.checkouts import ROOT, becomes, environment, run


def test_a_lock_that_a_git_may_hold_is_left(pipeline):
    lock = pipeline / ".git" / "index.lock"
    lock.touch()
    git = subprocess.Popen(["git", "cat-file", "--batch"], cwd=pipeline, env=environment(pipeline), stdin=-1)
    assert becomes(lambda: repository.busy(pipeline), 20)
    assert repository.mend(pipeline) == [] and lock.exists()
    git.communicate()
    assert repository.mend(pipeline) == [lock]


@pytest.mark.parametrize("knows_where", [True, False])
def test_a_worktree_that_was_killed_while_it_was_made_can_be_made_again(pipeline, knows_where):
    worktree = pipeline / ".worktrees" / "spray"
    run(pipeline, "git", "worktree", "add", "-q", "-B", "product/spray", str(worktree))
    known = pipeline / ".git" / "worktrees" / "spray"
    (known / "locked").write_text("initializing\n")
    (known / "index.lock").touch()
    if not knows_where:
        (known / "gitdir").unlink()
    repository.discard(pipeline, worktree)
    assert not worktree.exists() and not known.exists()
    run(pipeline, "git", "worktree", "add", "-q", "-B", "product/spray", str(worktree))


def test_another_worktree_that_a_person_locked_stays(pipeline, tmp_path):
    run(pipeline, "git", "worktree", "add", "-q", "--detach", str(tmp_path / "spray"))
    run(pipeline, "git", "worktree", "lock", str(tmp_path / "spray"))
    (tmp_path / "spray").rename(tmp_path / "unplugged")
    repository.discard(pipeline, pipeline / ".worktrees" / "spray")
    assert (pipeline / ".git" / "worktrees" / "spray").exists()


def test_begun_by_a_git_of_another_checkout_it_works_in_its_own(pipeline, tmp_path):
    """As in a hook, or in `git rebase --exec`."""
    run(tmp_path, "git", "init", "-q", "other")
    git_s = {"GIT_DIR": str(tmp_path / "other" / ".git"), "GIT_INDEX_FILE": str(tmp_path / "other" / ".git" / "index")}
    code = "from pathlib import Path; from flows import repository; repository.commit(Path(), 'Mine', 'dvc.yaml')"
    (pipeline / "dvc.yaml").write_text("stages: {}\n")
    environ = environment(ROOT) | git_s
    subprocess.run([sys.executable, "-c", code], cwd=pipeline, env=environ, check=True)
    assert run(pipeline, "git", "log", "-1", "--format=%s").stdout == "Mine\n"

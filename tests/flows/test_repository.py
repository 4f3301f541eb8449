import os
import subprocess
import sys

import pytest

from flows import repository
from tests.helpers.checkouts import ROOT, becomes, environment, run

SIGNER = """#!/bin/sh
cat > /dev/null
echo '[GNUPG:] SIG_CREATED ' >&2
echo '-----BEGIN PGP SIGNATURE-----'
"""


def test_a_lock_that_a_git_may_hold_is_left(pipeline):
    lock = pipeline / ".git" / "index.lock"
    lock.touch()
    git = subprocess.Popen(["git", "cat-file", "--batch"], cwd=pipeline, env=environment(pipeline), stdin=-1)
    assert becomes(lambda: repository.busy(pipeline), 20)
    assert repository.mend(pipeline) == [] and lock.exists()
    git.communicate()
    assert repository.mend(pipeline) == [lock]


def test_a_git_in_another_worktree_may_hold_a_lock_and_one_that_has_ended_holds_none(pipeline, tmp_path):
    run(pipeline, "git", "worktree", "add", "-q", "--detach", str(tmp_path / "mine"))
    lock = pipeline / ".git" / "worktrees" / "mine" / "index.lock"
    lock.touch()
    with subprocess.Popen(["git", "cat-file", "--batch"], cwd=tmp_path / "mine", stdin=-1, stdout=-1) as git:
        assert git.stdin and git.stdout
        git.stdin.write(b"HEAD\n")
        git.stdin.flush()
        git.stdout.readline()  # it is at work
        assert repository.mend(pipeline) == [] and lock.exists()
        git.stdin.close()
        os.waitid(os.P_PID, git.pid, os.WEXITED | os.WNOWAIT)  # a zombie, as where nobody asks what became of it
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


@pytest.mark.parametrize("how", ["locked", "unlocked"])
def test_another_worktree_that_cannot_be_seen_stays(pipeline, tmp_path, how):
    run(pipeline, "git", "worktree", "add", "-q", "--detach", str(tmp_path / "spray"))
    if how == "locked":
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


def test_what_a_person_has_set_for_themselves_adds_nothing_to_what_git_does_here(pipeline, tmp_path):
    signer = tmp_path / "signer"
    signer.write_text(SIGNER)
    signer.chmod(0o755)
    hook = pipeline / ".git" / "hooks" / "post-checkout"  # as `dvc install` has one
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    for name, value in (("gpg.program", str(signer)), ("log.showSignature", "true"), ("tag.gpgSign", "true")):
        run(pipeline, "git", "config", name, value)
    run(pipeline, "git", "commit", "-q", "-S", "--allow-empty", "-m", "Signed")
    assert repository.git(pipeline, "log", "-1", "--format=%s") == "Signed"
    repository.git(pipeline, "tag", "--force", "here", "main")
    assert repository.git(pipeline, "cat-file", "-t", "here") == "commit"
    repository.git(pipeline, "worktree", "add", "--quiet", "--detach", str(tmp_path / "spray"))

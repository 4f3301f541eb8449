"""A product's branch and its worktree, with the real git and DVC."""

from flows import branch
from flows.repository import dvc


def test_a_worktree_shares_the_cache_wherever_the_checkout_lies(project):
    elsewhere = project.rename(project.with_name("Prüfstand"))
    worktree = branch.opened(elsewhere, "spray", "--detach")
    assert (worktree / dvc(worktree, "cache", "dir")).resolve() == elsewhere / ".dvc" / "cache"

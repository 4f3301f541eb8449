"""A product's branch and its worktree, with the real git and DVC."""

import pytest

from flows import branch
from flows.quiet_checkout import Waits
from flows.repository import dvc
from stages import files, paths


def test_a_worktree_shares_the_cache_wherever_the_checkout_lies(project):
    elsewhere = project.rename(project.with_name("Prüfstand"))
    worktree = branch.opened(elsewhere, "spray", "--detach")
    assert (worktree / dvc(worktree, "cache", "dir")).resolve() == elsewhere / ".dvc" / "cache"


def test_what_a_product_left_behind_is_replaced_by_what_came_of_it_next_but_for_a_person_s(project):
    worktree, mine = branch.opened(project, "spray", "--detach"), project / paths.RELEASED / "spray"
    for weights in ("first", "second"):
        files.write(worktree / paths.RELEASED / "spray" / "weights.pt", weights)
        dvc(worktree, "add", "--quiet", str(paths.RELEASED / "spray"))
        branch.hand_over(project, "spray")
        assert (mine / "weights.pt").read_text() == weights
    files.write(mine / "notes.txt", "mine")
    with pytest.raises(Waits, match=r"models/products/spray/notes\.txt is in the way"):
        branch.hand_over(project, "spray")
    assert (mine / "notes.txt").read_text() == "mine"

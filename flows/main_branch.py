"""Main moves in one step, in the checkout, too, and only while nobody is at work there or has changes of their own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from dvc.repo import Repo
from dvc_data.hashfile.hash import file_md5

from flows import checkout_lock, killed_move, quiet_checkout
from flows.quiet_checkout import Waits
from flows.repository import commit, git, listed
from stages import paths

NAME = "main"
MAIN = f"refs/heads/{NAME}"  # in full, as a tag may have the name, too
REPORTS = ("reports/metrics", "reports/plots", "reports/health.json", "reports/health.html")


def advance(checkout: Path, to: str, tag: str = "") -> None:
    """Let main be what a commit that stands on it is, in the checkout, too. A tag says where it was."""
    goal = git(checkout, "rev-parse", to)
    with free(checkout) as repo:
        if tag and git(checkout, "rev-parse", MAIN) != goal:  # else it was killed after that
            git(checkout, "tag", "--force", tag, MAIN)
        fit_for(checkout, goal)
        before = status(checkout)
        killed_move.begin(checkout, goal)
        try:
            git(checkout, "merge", "--quiet", "--ff-only", goal)
        except RuntimeError as error:
            if status(checkout) == before:  # files that git does not know are in the way
                killed_move.forget(checkout)  # else, as on a full disk, whoever comes next takes back half of it
            raise Waits(" ".join(str(error).split())) from None
        killed_move.end(checkout, repo)


@contextlib.contextmanager
def free(checkout: Path) -> Iterator[Repo]:
    """Hold a checkout in which main can be moved, or raise Waits."""
    with checkout_lock.alone(checkout, wait=False), quiet_checkout.held(checkout) as repo:
        fit(checkout)
        yield repo


def checked_out(checkout: Path) -> bool:
    return git(checkout, "rev-parse", "--symbolic-full-name", "HEAD") == MAIN


def fit(checkout: Path) -> None:
    """Raise Waits where moving main would touch a person's work."""
    if not checked_out(checkout):
        raise Waits(f"{checkout} is not on {NAME}: `git checkout {NAME}`")
    if changed := git(checkout, "status", "--porcelain", "--untracked-files=no"):
        raise Waits(f"{checkout} has changes of its own ({changed.splitlines()[0]}, …): commit or stash them")
    if edited := edited_data(checkout):
        raise Waits(f"{checkout} has changes of its own in what DVC keeps ({edited[0]}, …): `dvc commit` keeps them, "
                    "`dvc checkout` drops them")  # fmt: skip


def status(checkout: Path) -> str:
    """Return all in which a checkout is not as committed, with what git does not know."""
    return git(checkout, "status", "--porcelain", "--untracked-files=all")


def edited_data(checkout: Path) -> list[str]:
    """Return what DVC keeps and is not as dvc.lock or its .dvc file says, which git does not see. Where nothing is,
    nothing can be lost."""
    with Repo(str(checkout)) as repo:
        return [str(out) for out in repo.index.outs if out.use_cache and out.exists and out.workspace_status()]


def fit_for(checkout: Path, goal: str) -> None:
    """Raise where what DVC brings with a commit would take the place of a person's files, or is a product whose
    photographs are not in DVC's cache: nobody else has them."""
    with Repo(str(checkout)) as now, Repo(str(checkout), rev=goal) as to_be:
        known = {out.index_key for out in now.index.outs}
        for out in to_be.index.outs:
            if out.use_cache and out.index_key not in known:
                if Path(str(out)).is_relative_to(paths.PRODUCTS) and out.changed_cache():
                    raise RuntimeError(f"{out} is not whole in DVC's cache; once given up, `retry` registers it anew")
                make_way(now, Path(str(out)))


def make_way(repo: Repo, path: Path) -> None:
    """Raise Waits where a file or folder that is to be replaced holds what is not in DVC's cache: a person's."""
    there = Path(repo.root_dir) / path
    for file in (there, *there.rglob("*")):
        if file.is_file() and not repo.cache.local.exists(file_md5(str(file))):
            raise Waits(f"{file.relative_to(repo.root_dir)} is in the way, and kept nowhere else: move it away")


def changed(checkout: Path) -> list[str]:
    """Return the files in git that are not as committed, but for what stages write."""
    return listed(checkout, "diff", "--name-only", "HEAD", "--", ".", ":!dvc.lock", ":!reports")


def keep(checkout: Path) -> None:
    """Commit what stages wrote, if they are main's as committed: what nobody commits keeps promotions waiting."""
    if not checked_out(checkout):
        print(f"what was made is not committed: the checkout is not on {NAME}")
    elif theirs := changed(checkout):
        print(f"what was made is not committed: {theirs[0]} has changes that are not, either")
    else:
        commit(checkout, "Bring results up to date", "dvc.lock", *REPORTS)

"""A product's branch, built in a worktree of its own: nothing half done is ever seen on main."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from dvc.repo import Repo

from flows import current_detectors, main_branch, registration, repository
from flows.inbox import Arrival
from flows.main_branch import MAIN, REPORTS
from flows.registration import Alone
from flows.repository import commit, dvc, git, listed
from stages import files, paths, settings
from stages.dataset import arrival, coco

PLACE = Path(".worktrees")
REGISTER, MEASURE, SAID = "Register", "Measure", "Keep what was said of"  # a product: commits of its branch
BEFORE = "before-last-promotion"  # a tag: what DVC holds for it is kept, so that a rollback trains nothing


def place(checkout: Path, name: str) -> Path:
    return checkout / PLACE / name


def named(name: str) -> str:
    return f"product/{name}"


def head(name: str) -> str:
    return f"refs/heads/{named(name)}"


def register(checkout: Path, of: Arrival, dataset: coco.Coco) -> Path:
    """Make a branch from main on which the arrived product is part of the dataset, and in focus; return its worktree.

    An earlier branch of that name is replaced in the last step; what people said of its candidates comes along.
    """
    worktree = opened(checkout, of.name)
    for file, lines in said(checkout, of.name).items():
        there = (worktree / file).read_text().splitlines() if (worktree / file).exists() else []
        files.write(worktree / file, "\n".join(dict.fromkeys([*there, *lines])) + "\n")
    folder = worktree / paths.PRODUCTS / of.name
    arrival.tidy(checkout / of.folder, dataset, folder)
    dvc(worktree, "add", "--quiet", str(paths.PRODUCTS / of.name))
    params = worktree / settings.PARAMS
    by_itself = alone(dataset, settings.load(params).arrival.pixels)
    registration.register(params, of.name, arrival.about(checkout / of.folder).real, by_itself)
    kept = current_detectors.refocus(worktree, of.name)
    made = f"{paths.PRODUCTS / of.name}.dvc", str(settings.PARAMS), str(paths.REVIEWS)
    commit(worktree, f"{REGISTER} {of.name}", *made, *kept)
    keep_others(checkout, of.name)
    git(worktree, "branch", "--force", named(of.name), "HEAD")
    git(worktree, "symbolic-ref", "HEAD", head(of.name))
    return worktree


def said(checkout: Path, name: str) -> dict[str, list[str]]:
    """Return the tables of what people said that are on a product's branch, if there is one, by their files."""
    if not git(checkout, "branch", "--list", named(name)):
        return {}
    tables = listed(checkout, "ls-tree", "--name-only", "-r", head(name), "--", f"{paths.REVIEWS}/")
    return {
        file: git(checkout, "show", f"{head(name)}:{file}").splitlines() for file in tables if file.endswith(".csv")
    }


def keep_said(checkout: Path, name: str) -> None:
    """Commit on a product's branch what people said of its candidates in its worktree."""
    worktree = place(checkout, name)
    try:
        on_it = (worktree / ".git").exists() and git(worktree, "symbolic-ref", "HEAD") == head(name)
    except RuntimeError:  # it is on no branch, or was killed while it was made or removed
        on_it = False
    if on_it:
        commit(worktree, f"{SAID} {name}", str(paths.REVIEWS))


def keep_others(checkout: Path, name: str) -> None:
    """Give a product's branch a tag, if it has commits that are neither on main nor made by a run."""
    if git(checkout, "branch", "--list", named(name)):
        ours = {f"{what} {name}" for what in (REGISTER, MEASURE, SAID)}
        if set(git(checkout, "log", "--format=%s", f"{MAIN}..{head(name)}").splitlines()) - ours:
            tag = f"kept/{name}-{git(checkout, 'rev-parse', '--short', head(name))}"
            git(checkout, "tag", "--force", tag, head(name))
            print(f"{name}: its branch is built anew; what others committed on it is kept as {tag}")


def alone(dataset: coco.Coco, pixels: int) -> Alone:
    """Return how a product is looked at that has no other beside it: its objects `pixels` wide."""
    return Alone(*arrival.seen_at(dataset, pixels), any(image.split == "test" for image in dataset.images))


def opened(checkout: Path, name: str) -> Path:
    """Make a worktree for a product that begins at main, on no branch, and return it; what an earlier try left there is
    thrown away but for what people said."""
    worktree = place(checkout, name)
    discard(checkout, name)
    git(checkout, "worktree", "add", "--quiet", "--detach", str(worktree), MAIN)
    share(checkout, worktree)
    return worktree


def share(checkout: Path, worktree: Path) -> None:
    """Give a worktree the checkout's own DVC settings and cache, the products that have come before, and the user's
    photographs, where these are in the checkout and in nothing that git or DVC keeps."""
    local = checkout / ".dvc" / "config.local"
    if local.exists():
        shutil.copyfile(local, worktree / ".dvc" / "config.local")
    cache = (checkout / dvc(checkout, "cache", "dir")).resolve()
    from_here = os.path.relpath(cache, worktree.resolve())  # DVC keeps no path with letters beyond ASCII
    dvc(worktree, "cache", "dir", "--local", from_here)
    dataset = settings.load(worktree / settings.PARAMS).dataset
    for own in (dataset.images, dataset.annotations):
        if (checkout / own).exists() and not (worktree / own).exists():
            (worktree / own).parent.mkdir(parents=True, exist_ok=True)
            (worktree / own).symlink_to((checkout / own).resolve())
    if before := [str(path.relative_to(worktree)) for path in (worktree / paths.PRODUCTS).glob("*.dvc")]:
        dvc(worktree, "checkout", "--quiet", *before)


def measured(worktree: Path, name: str, message: str) -> None:
    """Commit what a run of the loop left in a product's worktree."""
    commit(worktree, f"{MEASURE} {name}\n\n{message}", "dvc.lock", str(paths.REVIEWS), *REPORTS)


def base(checkout: Path, name: str) -> bool:
    """Return whether the branch stands on main as it is now."""
    return git(checkout, "merge-base", MAIN, named(name)) == git(checkout, "rev-parse", MAIN)


def promote(checkout: Path, name: str) -> None:
    """Let main be what the product's branch is, with what people said since it was measured."""
    keep_said(checkout, name)
    main_branch.advance(checkout, named(name), BEFORE)


def hand_over(checkout: Path, name: str) -> None:
    """Put what was made of a product that stays on its branch beside the detectors in use, to be looked at."""
    made = paths.RELEASED / name
    if (place(checkout, name) / made).exists():
        with Repo(str(checkout)) as repo:
            main_branch.make_way(repo, made)
        with files.replacing(checkout / made) as folder:
            shutil.copytree(place(checkout, name) / made, folder, dirs_exist_ok=True)


def entered(checkout: Path, name: str, at: str = "HEAD") -> str:
    """Return the last commit up to `at` with which a product came into the dataset; empty, if none did."""
    file = f"{paths.PRODUCTS / name}.dvc"
    return git(checkout, "log", "-1", "--format=%H", "--diff-filter=A", at, "--", file)


def discard(checkout: Path, name: str) -> None:
    """Remove a product's worktree; the branch, if there is one, stays, and takes up what people said in it."""
    keep_said(checkout, name)
    repository.discard(checkout, place(checkout, name))

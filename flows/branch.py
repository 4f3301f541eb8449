"""A product's branch, built in a worktree of its own: nothing half done is ever seen on main."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from flows import in_use
from flows.inbox import Arrival
from stages import files, paths, settings
from stages.dataset import arrival, coco

PLACE = Path(".worktrees")
MAIN = "main"
BEFORE = "before-last-promotion"  # a tag: what DVC holds for it is kept, so that a rollback trains nothing
REPORTS = ("reports/metrics", "reports/plots", "reports/health.json", "reports/health.html")


class Waits(Exception):
    """Main cannot be moved now, because a person is at work in the checkout."""


def git(checkout: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=checkout, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def place(checkout: Path, name: str) -> Path:
    return checkout / PLACE / name


def named(name: str) -> str:
    return f"product/{name}"


def register(checkout: Path, of: Arrival, dataset: coco.Coco) -> Path:
    """Make a new branch from main on which the arrived product is part of the dataset, and in focus; return its
    worktree.

    What an earlier try left is thrown away but for what people said of its candidates: until the gate has spoken, the
    branch holds nothing else that cannot be made again.
    """
    said = {path.name: path.read_bytes() for path in (place(checkout, of.name) / paths.REVIEWS).glob("*.csv")}
    worktree = opened(checkout, of.name, "-B", named(of.name))
    for name, rows in said.items():
        files.write(worktree / paths.REVIEWS / name, rows)
    folder = worktree / paths.PRODUCTS / of.name
    arrival.tidy(checkout / of.folder, dataset, folder)
    dvc(worktree, "add", "--quiet", str(paths.PRODUCTS / of.name))
    settings.register(worktree / settings.PARAMS, of.name)
    kept = in_use.refocus(worktree, of.name)
    commit(worktree, f"Register {of.name}", f"{paths.PRODUCTS / of.name}.dvc", str(settings.PARAMS), *kept)
    return worktree


def opened(checkout: Path, name: str, *how: str) -> Path:
    """Make a worktree for a product that begins at main, and return it; what an earlier try left there is thrown
    away."""
    worktree = place(checkout, name)
    discard(checkout, name)
    git(checkout, "worktree", "add", "--quiet", *how, str(worktree), MAIN)
    share(checkout, worktree)
    return worktree


def share(checkout: Path, worktree: Path) -> None:
    """Give a worktree the checkout's own DVC settings and cache, and the products that have come before."""
    local = checkout / ".dvc" / "config.local"
    if local.exists():
        shutil.copyfile(local, worktree / ".dvc" / "config.local")
    cache = subprocess.run(["dvc", "cache", "dir"], cwd=checkout, capture_output=True, text=True, check=True).stdout
    dvc(worktree, "cache", "dir", "--local", str((checkout / cache.strip()).resolve()))
    if before := [str(path.relative_to(worktree)) for path in (worktree / paths.PRODUCTS).glob("*.dvc")]:
        dvc(worktree, "checkout", "--quiet", *before)


def dvc(checkout: Path, *arguments: str) -> None:
    done = subprocess.run(["dvc", *arguments], cwd=checkout, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"dvc {' '.join(arguments)}: {done.stderr.strip()[-1000:]}")


def commit(worktree: Path, message: str, *paths: str) -> None:
    """Commit named paths alone, as far as they are there and differ."""
    git(worktree, "add", "--", *[path for path in paths if (worktree / path).exists()])
    if git(worktree, "diff", "--cached", "--name-only"):
        git(worktree, "commit", "--quiet", "-m", message)


def measured(worktree: Path, name: str, message: str) -> None:
    """Commit what a run of the loop left in a product's worktree."""
    commit(worktree, f"Measure {name}\n\n{message}", "dvc.lock", str(paths.REVIEWS), *REPORTS)


def base(checkout: Path, name: str) -> bool:
    """Return whether the branch stands on main as it is now."""
    return git(checkout, "merge-base", MAIN, named(name)) == git(checkout, "rev-parse", MAIN)


def promote(checkout: Path, name: str) -> None:
    """Let main be what the product's branch is."""
    if git(checkout, "rev-parse", MAIN) != git(checkout, "rev-parse", named(name)):  # else it was killed after that
        fit(checkout)
        git(checkout, "tag", "--force", BEFORE, MAIN)
    advance(checkout, named(name))


def fit(checkout: Path) -> None:
    """Return whether the checkout can go on with main; one with changes of its own is left alone, and said so."""
    if git(checkout, "rev-parse", "--abbrev-ref", "HEAD") != MAIN:
        raise Waits(f"{checkout} is not on {MAIN}: `git checkout {MAIN}`")
    if changed := git(checkout, "status", "--porcelain", "--untracked-files=no"):
        raise Waits(f"{checkout} has changes of its own ({changed.splitlines()[0]}, …): commit or stash them")


def advance(checkout: Path, commit: str) -> None:
    """Let main be what a commit that stands on it is, in the checkout, too."""
    fit(checkout)
    git(checkout, "merge", "--quiet", "--ff-only", commit)
    dvc(checkout, "checkout", "--quiet", "--force", "--allow-missing")


def entered(checkout: Path, name: str, at: str = "HEAD") -> str:
    """Return the last commit up to `at` with which a product came into the dataset; empty, if none did."""
    file = f"{paths.PRODUCTS / name}.dvc"
    return git(checkout, "log", "-1", "--format=%H", "--diff-filter=A", at, "--", file)


def discard(checkout: Path, name: str) -> None:
    """Remove a worktree; the branch, if there is one, stays."""
    worktree = place(checkout, name)
    if worktree.exists():
        shutil.rmtree(worktree)
    git(checkout, "worktree", "prune")

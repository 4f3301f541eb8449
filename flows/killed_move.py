"""What a killed move of main leaves in the checkout: half an update, which looks like a person's changes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from dvc.repo import Repo

from flows import quiet_checkout
from flows.repository import git, listed
from stages import files

GOAL = Path(".dvc/tmp/tenfold-goal")  # the commit that main is being moved to, until that is done


def begin(checkout: Path, goal: str) -> None:
    files.write(checkout / GOAL, goal)


def forget(checkout: Path) -> None:
    (checkout / GOAL).unlink()


def end(checkout: Path, repo: Repo) -> None:
    """Let DVC's files be what the commit says that git has come to, which is the last step."""
    repo.checkout(force=True, allow_missing=True)
    forget(checkout)


def undo(checkout: Path) -> bool:
    """Take back what git was killed in, file by file, so that a person's changes stay; where git was done, do the last
    step. Return whether there was a killed move."""
    if not (checkout / GOAL).exists():
        return False
    goal = (checkout / GOAL).read_text(errors="replace")
    if not re.fullmatch("[0-9a-f]{40,64}", goal):  # as after a power cut
        print(f"dropped {GOAL.name}, which names no commit: `git status` says whether a move of main left anything")
        forget(checkout)
        return False
    with quiet_checkout.held(checkout) as repo:
        git(checkout, "reset", "--quiet")
        for path in listed(checkout, "diff", "--name-only", "--no-renames", "HEAD", goal):
            if begun(checkout, path, goal):
                (checkout / path).unlink(missing_ok=True)
                if listed(checkout, "ls-tree", "--name-only", "HEAD", path):
                    git(checkout, "checkout", "--quiet", "HEAD", "--", path)
        if git(checkout, "rev-parse", "HEAD") == goal:
            end(checkout, repo)
        else:
            forget(checkout)
    return True


def begun(checkout: Path, path: str, goal: str) -> bool:
    """Return whether a file is as a commit has it, or on its way there: absent, or the beginning of it."""
    if not (checkout / path).exists():
        return True
    to_be = subprocess.run(["git", "cat-file", "--filters", f"{goal}:{path}"], cwd=checkout, capture_output=True).stdout
    return to_be.startswith((checkout / path).read_bytes())

"""git and DVC in a checkout, and what they refuse to go on from after they were killed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import psutil

PLAIN = (  # what a person's settings add to git would ask for a word, say more than was asked, or refuse
    "-c", "tag.gpgSign=false", "-c", "log.showSignature=false", "-c", "core.hooksPath=/dev/null",
)  # fmt: skip


def git(checkout: Path, *arguments: str) -> str:
    command = ["git", *PLAIN, *arguments]
    done = subprocess.run(command, cwd=checkout, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def dvc(checkout: Path, *arguments: str) -> str:
    done = subprocess.run(["dvc", *arguments], cwd=checkout, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"dvc {' '.join(arguments)}: {done.stderr.strip()[-1000:]}")
    return done.stdout.strip()


def listed(checkout: Path, command: str, *arguments: str) -> list[str]:
    """Return the paths that a command of git's lists."""
    return [path for path in git(checkout, command, "-z", *arguments).split("\0") if path]


def commit(checkout: Path, message: str, *paths: str) -> None:
    """Commit named paths alone, whatever else is staged, as far as they differ."""
    git(checkout, "add", "--", *[path for path in paths if (checkout / path).exists()])
    if differ := listed(checkout, "diff", "--cached", "--name-only", "--no-renames", "--", *paths):
        git(checkout, "commit", "--quiet", "-m", message, "--", *differ)


def mend(checkout: Path) -> list[Path]:
    """Drop the locks that a killed git left, with which git refuses everything; return them."""
    folder = common(checkout)
    left = [path for where in ("*", "refs/**/*", "worktrees/*/*") for path in folder.glob(f"{where}.lock")]
    if not left or busy(folder.parent):
        return []
    for path in left:
        path.unlink(missing_ok=True)
    return left


def common(checkout: Path) -> Path:
    """Return the folder that all worktrees of a checkout share."""
    return Path(git(checkout, "rev-parse", "--path-format=absolute", "--git-common-dir"))


def busy(checkout: Path) -> bool:
    """Return whether a git is at work in a checkout; one whose folder cannot be seen may be."""
    gits = [p.info["cwd"] for p in psutil.process_iter(["name", "cwd"]) if p.info["name"] == "git"]
    return any(cwd is None or Path(cwd).is_relative_to(checkout.resolve()) for cwd in gits)


def discard(checkout: Path, worktree: Path) -> None:
    """Remove a worktree; its branch, if there is one, stays."""
    if worktree.exists():
        shutil.rmtree(worktree)
    for known in common(checkout).glob("worktrees/*"):
        named = known / "gitdir"
        if not named.exists() or Path(named.read_text().strip()).parent.resolve() == worktree.resolve():
            (known / "locked").unlink(missing_ok=True)  # by a git that was killed making it; else pruning spares it
    git(checkout, "worktree", "prune")

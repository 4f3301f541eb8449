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
    if not left or busy(checkout):
        return []
    for path in left:
        path.unlink(missing_ok=True)
    return left


def common(checkout: Path) -> Path:
    """Return the folder that all worktrees of a checkout share."""
    return Path(git(checkout, "rev-parse", "--path-format=absolute", "--git-common-dir"))


def worktrees(checkout: Path) -> list[Path]:
    """Return all places in which the repository is checked out."""
    said = git(checkout, "worktree", "list", "--porcelain").splitlines()
    return [Path(line.removeprefix("worktree ")) for line in said if line.startswith("worktree ")]


def busy(checkout: Path) -> bool:
    """Return whether a git is at work in a checkout or another of its worktrees; one whose folder cannot be seen may
    be, unless it has ended."""
    places = {place.resolve() for place in (checkout, *worktrees(checkout))}
    gits = [p.info for p in psutil.process_iter(["name", "cwd", "status"]) if p.info["name"] == "git"]
    at = [git["cwd"] for git in gits if git["status"] != psutil.STATUS_ZOMBIE]
    return any(cwd is None or places & {Path(cwd), *Path(cwd).parents} for cwd in at)


def discard(checkout: Path, worktree: Path) -> None:
    """Remove a worktree, and what git knows of it; its branch, if there is one, stays. Others that cannot be seen may
    be on a disk that is not there now."""
    if worktree.exists():
        shutil.rmtree(worktree)
    for known in common(checkout).glob("worktrees/*"):
        named = known / "gitdir"  # not yet there, where a git was killed making it
        place = (known / named.read_text().strip()).parent if named.exists() else worktree.with_name(known.name)
        if place.resolve() == worktree.resolve():
            shutil.rmtree(known)

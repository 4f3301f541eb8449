"""Every night: run what is stale, refresh the metrics, and throw away what nothing needs any more.

What is thrown away: results of experiments that params.yaml no longer names; copies of the server's database but the
last seven; and from DVC's cache whatever no branch, no tag, no experiment and no open worktree refers to, nor a commit
that git remembers without them: a stash, or where a head has been.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo
from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows import checkout_lock, child, disk, main_branch, notify, quiet_checkout, repository
from flows.quiet_checkout import Waits
from flows.repository import git
from flows.reproduce import reproduce
from stages import paths, settings
from stages.settings import Settings

KEPT = 7  # copies of the server's database
MEMORY = "remembered"  # tags


@flow(name="nightly", log_prints=True, on_failure=[notify.failed], on_crashed=[notify.failed])
def nightly(slots: int = 2, checkout: str = ".", least_free_gb: float = disk.FLOOR) -> None:
    """Back up the server's database, bring the whole pipeline up to date, commit that, and drop what params.yaml no
    longer names.

    slots: stages at a time. least_free_gb: on the disk, or nothing is begun.
    """
    where = Path(checkout).resolve()
    try:
        disk.check(where, least_free_gb)
        back_up(database(), where / ".prefect" / "backups")
        reproduce(slots=slots, checkout=str(where), least_free_gb=least_free_gb)
    except Exception:  # whatever failed, it is raised again: what is told of is what failed first
        try:
            tidied(where)  # which makes room for the next night
        except Exception as error:
            print(f"nor could the checkout be tidied: {error}")
        raise
    tidied(where)


def tidied(checkout: Path) -> None:
    """Commit what was made, then drop what nothing needs."""
    keep(checkout)
    prune(checkout)


def keep(checkout: Path) -> None:
    """Commit what stages wrote, if none is at it: what a person's writes may be half there."""
    try:
        with checkout_lock.alone(checkout), quiet_checkout.held(checkout):
            main_branch.keep(checkout)
    except Waits as waits:
        print(f"what was made is not committed: {waits}")


@task(cache_policy=NO_CACHE)
def prune(checkout: Path) -> None:
    """Drop old data and copies, by the rule above."""
    with checkout_lock.alone(checkout):
        forget(checkout)
        collect(checkout)


def forget(checkout: Path) -> None:
    """Drop results that params.yaml does not name; only by main's own, and not by what a person tries out."""
    if main_branch.checked_out(checkout) and not main_branch.changed(checkout):
        for path in forgotten(checkout, settings.load(checkout / settings.PARAMS)):
            print(f"removing {path.relative_to(checkout)}")
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def collect(checkout: Path) -> None:
    """Drop from DVC's cache what nothing refers to."""
    command = ["dvc", "gc", "--workspace", "--all-branches", "--all-tags", "--all-experiments", "--force"]
    if others := worktrees(checkout):
        command += ["--projects", *map(str, others)]
    with tagged(checkout, remembered(checkout)):
        child.run(command, checkout, print)


def remembered(checkout: Path) -> list[str]:
    """Return the commits that only git's memory leads to, what is stashed, and where a head has been; DVC can read
    them, or it would collect nothing at all."""
    found = git(checkout, "rev-list", "--reflog", "--not", "--branches", "--tags").split()
    return [commit for commit in found if readable(checkout, commit)]


def readable(checkout: Path, commit: str) -> bool:
    try:
        with Repo(str(checkout), rev=commit) as repo:
            return repo.index.outs is not None
    except DvcException:
        return False


@contextlib.contextmanager
def tagged(checkout: Path, commits: list[str]) -> Iterator[None]:
    """Give commits tags for a while, by which DVC finds them."""
    try:
        for commit in commits:
            git(checkout, "tag", "--force", f"{MEMORY}/{commit}", commit)
        yield
    finally:  # and what a killed night left
        if tags := git(checkout, "tag", "--list", f"{MEMORY}/*").split():
            git(checkout, "tag", "--delete", *tags)


def forgotten(checkout: Path, params: Settings) -> list[Path]:
    """Return the results of experiments, and the models, that params.yaml does not name."""
    made = dict.fromkeys((paths.CANDIDATES, paths.JUDGED, paths.VERDICTS, paths.ACCEPTED), params.all_experiments)
    trained = {
        paths.GANS: params.experiments, paths.TEXTURES: params.textures, paths.OBJECTS: params.object_gans,
        paths.INPAINTS: params.inpaints,
    }  # fmt: skip
    return [
        path for place, named in (made | trained).items() for path in sorted((checkout / place).glob("*"))
        if path.name.partition(".")[0] not in {*named, ""}
    ]  # fmt: skip


def worktrees(checkout: Path) -> list[Path]:
    """Return the other worktrees of the repository, which may share its cache."""
    others = [path for path in repository.worktrees(checkout) if path.resolve() != checkout.resolve()]
    return [path for path in others if (path / ".dvc").is_dir()]


def database() -> Path:
    """Return the file of the server's database, where `make serve` keeps it."""
    return Path(os.environ.get("PREFECT_HOME", Path.home() / ".prefect")) / "prefect.db"


@task(cache_policy=NO_CACHE)
def back_up(source: Path, folder: Path) -> Path | None:
    """Copy a database that is in use, whole, into a folder; the oldest copies there go."""
    if not source.exists():
        print(f"{source} is not here: no copy of the server's database was made")
        return None
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"prefect-{datetime.now(UTC):%Y%m%d-%H%M%S}.db"
    for left in folder.glob(".prefect-*"):  # of a run that was killed
        left.unlink()
    part = folder / f".{target.name}"
    with contextlib.closing(sqlite3.connect(source)) as live, contextlib.closing(sqlite3.connect(part)) as copy:
        live.backup(copy)
    part.replace(target)
    others = sorted({*folder.glob("prefect-*.db")} - {target})  # their names may be later: the clock was set back
    for old in others[: 1 - KEPT]:
        old.unlink()
    return target

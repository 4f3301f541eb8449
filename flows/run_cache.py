"""What another machine needs in DVC's remote, to find that a stage has run.

`dvc push --run-cache` will not do. It leaves out what stages write into git (`cache: false`), without which the other
machine runs them again, and sends the whole run cache each time, which grows with every stage that ever ran.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from dvc.fs import generic
from dvc.repo import Repo
from dvc.stage import PipelineStage
from dvc.stage import cache as run_cache
from dvc.stage.serialize import to_single_stage_lockfile


def push(checkout: Path, names: Iterable[str] | None = None) -> int:
    """Send what these stages made (all, if none is named), and the entries by which DVC finds it; how many.

    A stage that has not run here as it stands is passed over, and so is one that DVC keeps out of its run cache.
    """
    only = None if names is None else set(names)
    with contextlib.chdir(checkout), Repo() as repo:  # DVC's run cache goes by the folder that one is in
        asked = [one for one in repo.index.stages if isinstance(one, PipelineStage) and (not only or one.name in only)]
        entries = [entry for stage in asked if _has_run(stage) for entry in _entries(repo, stage)]
        for objects in repo.stage_cache.get_used_objs(entries).values():
            repo.cloud.push(objects)
        here, there = repo.cache.legacy, repo.cloud.get_remote_odb(None, "push", hash_name="md5-dos2unix")
        for key, value in entries:  # last, so that whoever finds an entry finds what it speaks of
            parts = ("runs", key[:2], key, value)
            generic.copy(here.fs, here.fs.join(here.path, *parts), there.fs, there.fs.join(there.path, *parts))
    return len(entries)


def _has_run(stage: PipelineStage) -> bool:
    """Return whether dvc.lock knows what a stage was made of."""
    return bool(stage.deps) and all(dep.hash_info for dep in stage.deps)


def _entries(repo: Repo, stage: PipelineStage) -> list[tuple[str, str]]:
    """Return where the run cache has a stage: by what it was made of, and then by what came of that."""
    key = run_cache._get_cache_hash(to_single_stage_lockfile(stage), key=True)
    return [(key, path.name) for path in sorted(Path(repo.stage_cache.cache_dir, key[:2], key).glob("[!.]*"))]

"""The pipeline as DVC knows it: stages, what each waits for, what is stale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from dvc.repo import Repo
from dvc.stage import PipelineStage
from dvc.stage import Stage as BaseStage


@dataclass(frozen=True)
class Stage:
    """A stage of DVC's: `after`, the stages whose outputs it needs, and `gpu`, whether it trains or asks networks
    (`meta: {gpu: true}` in dvc.yaml)."""

    after: frozenset[str]
    gpu: bool


def read(checkout: Path) -> dict[str, Stage]:
    """Return every stage of a checkout, upstream ones first."""
    with Repo(str(checkout)) as repo:
        graph = repo.index.graph  # an edge leads from a stage to one that it needs
        found = {
            str(stage.name): Stage(
                frozenset(str(other.name) for other in graph.successors(stage) if _named(other)),
                bool((stage.meta or {}).get("gpu")),
            )
            for stage in graph.nodes
            if _named(stage)
        }
    return {name: found[name] for name in ordered(found)}


def folders(checkout: Path, names: Iterable[str]) -> list[Path]:
    """Return the folders that some stages depend on; a file has a suffix."""
    with Repo(str(checkout)) as repo:
        inputs = {Path(dep.fs_path) for stage in repo.index.stages if _named(stage) and str(stage.name) in names
                  for dep in stage.deps}  # fmt: skip
    return sorted(path for path in inputs if not path.suffix)


def _named(stage: BaseStage) -> TypeGuard[PipelineStage]:
    """Return whether it is a stage of dvc.yaml; what was put in with `dvc add` has no name, and nothing to run."""
    return isinstance(stage, PipelineStage)


def ordered(stages: Mapping[str, Stage]) -> list[str]:
    """Return the names of stages, upstream ones first."""
    done: dict[str, None] = {}
    while len(done) < len(stages):
        done |= dict.fromkeys(n for n in stages if n not in done and stages[n].after <= done.keys())
    return list(done)


def needed(stages: Mapping[str, Stage], targets: Iterable[str]) -> set[str]:
    """Return some targets (`arm` means all of arm@…), and all stages that they need."""
    todo = [name for target in targets for name in meant(stages, target)]
    found: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += stages[name].after
    return found


def meant(stages: Mapping[str, Stage], target: str) -> list[str]:
    names = [name for name in stages if target in (name, name.partition("@")[0])]
    if not names:
        raise ValueError(f"there is no stage {target!r}")
    return names


def stale(checkout: Path, stages: Mapping[str, Stage]) -> set[str]:
    """Return the stages whose inputs or outputs are not what dvc.lock says, and all that need these."""
    with Repo(str(checkout)) as repo:
        said = repo.status()  # by names that depend on the folder one is in
        found = {str(stage.name) for stage in repo.index.stages if _named(stage) and stage.addressing in said}
    for name in stages:  # upstream ones first
        if stages[name].after & found:
            found.add(name)
    return found

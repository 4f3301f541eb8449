"""The pipeline as a flow: `dvc repro`, stage by stage, independent stages at the same time (`make repro`)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture, as_completed

from flows import artifacts, checkout_lock, child, dag, disk, gpu, local, notify, password, remote, run_progress, warm
from flows.dag import Stage
from stages import command, provenance

RETRIES = 2  # a killed training goes on from its checkpoint
PAUSE = 5  # seconds before another try
MANY = 8  # stages that are started sooner together from a warm process, which itself takes as long as two of them


@dataclass(frozen=True)
class Machines:
    """Other machines that run the stages: the pool that their workers take them from, and the commit that they build.

    patience: seconds without a sign of life after which a worker counts as dead.
    """

    pool: str
    commit: str
    patience: float


def main() -> None:
    """Run what is stale of all stages, as many at a time as there are cores: a training keeps to one where there is no
    GPU. It leaves what `dvc repro` alone would leave."""
    with password.temporary(), run_progress.looked_at():
        reproduce(slots=provenance.cores())


def worth_another_try(_task, _run, state) -> bool:
    """Return whether a failed stage is to be tried again: not where a person has to mend something first, or wants it
    ended."""
    error = state.result(raise_on_failure=False)
    return not (isinstance(error, child.Failed) and error.says) and not isinstance(error, remote.Stopped)


@task(
    retries=RETRIES, retry_delay_seconds=PAUSE, retry_condition_fn=worth_another_try, cache_policy=NO_CACHE,
    task_run_name="{name}",
)  # fmt: skip
def stage(name: str, checkout: Path, needs_gpu: bool, slots: int, others: Machines | None) -> None:
    """Bring one stage up to date, here or elsewhere."""
    say = get_run_logger().info
    if others:
        remote.run(name, others.commit, needs_gpu, others.pool, others.patience, say)
    else:
        local.run(name, checkout, needs_gpu, slots, say, "--single-item")


@flow(name="reproduce", log_prints=True, on_failure=[notify.failed], on_crashed=[notify.failed])
def reproduce(
    targets: list[str] | None = None,
    slots: int = 2,
    checkout: str = ".",
    least_free_gb: float = disk.FLOOR,
    pool: str | None = None,
    patience: float = remote.PATIENCE,
) -> list[str]:
    """Run what is stale of `targets` (all stages, if there are none) and of what they need; what was run.

    slots: stages at a time. least_free_gb: on the disk, or nothing is begun. pool: whose workers run the stages, each
    in a checkout of its own (remote.py); without one, this machine does. patience: seconds without a sign of life
    after which another worker gets the stage.
    """
    where = Path(checkout).resolve()
    with checkout_lock.alone(where):
        local.prepare(where, slots, least_free_gb)
        stages = dag.read(where)
        wanted, stale = dag.needed(stages, targets or stages), dag.stale(where, stages)
        todo = {name: of for name, of in stages.items() if name in wanted & stale}
        print(f"{len(todo)} of {len(wanted)} stages are stale")
        others = Machines(pool, remote.ready(where), patience) if pool and todo else None
        started = time.monotonic()
        # What has begun CUDA cannot be forked.
        forked = len(todo) >= MANY and not others and not gpu.allowed()
        with warm.started(OMP_NUM_THREADS=local.threads(slots)) if forked else contextlib.nullcontext():
            try:
                failed = run_all(todo, slots, where, others)
                if others:
                    remote.fetch([name for name in todo if name not in failed], where)
            finally:
                child.end_all(where)
                remote.cancel_all()
        artifacts.results(where, todo, time.monotonic() - started)
        if failed:
            raise RuntimeError(f"{len(failed)} stages failed or could not be run: {', '.join(failed)}")
        return list(todo)


def run_all(todo: dict[str, Stage], slots: int, checkout: Path, others: Machines | None = None) -> list[str]:
    """Run stages, each as soon as what it needs is there; those that failed or wait for one that did."""
    waiting, running, failed = dict(todo), {}, []
    with run_progress.of(todo) as bar:
        ways = to_the_end(todo, bar.expected)
        while waiting or running:
            now = ready(waiting, running.values(), failed, ways)
            alone = len(now) == 1 and not running  # until it has ended, none of the others can begin
            for name in now[: slots - len(running)]:
                running[stage.submit(name, checkout, waiting.pop(name).gpu, 1 if alone else slots, others)] = name
                bar.begin(name, provenance.cores() if alone and not others else 1)
            if not running:
                break
            done: PrefectFuture = next(iter(as_completed(list(running))))
            done.wait()  # which takes its final state over
            bar.end(name := running.pop(done))
            if not done.state.is_completed():
                failed.append(name)
            print(f"{len(todo) - len(waiting) - len(running)} of {len(todo)} stages are done")
    return [*failed, *waiting]


def ready(
    waiting: Mapping[str, Stage], running: Iterable[str], failed: list[str], ways: Mapping[str, float]
) -> list[str]:
    """Return the stages that wait for none of the others; first those from which the way to the end is longest."""
    unfinished = {*waiting, *running, *failed}
    return sorted((n for n, of in waiting.items() if not of.after & unfinished), key=lambda n: -ways[n])


def to_the_end(stages: Mapping[str, Stage], seconds: Mapping[str, float]) -> dict[str, float]:
    """Return how long each stage (upstream ones come first) takes together with what then has to follow, one after the
    other."""
    ways = dict.fromkeys(stages, 0.0)
    for name in reversed(list(stages)):
        ways[name] += seconds[name]
        for before in stages[name].after & ways.keys():
            ways[before] = max(ways[before], ways[name])
    return ways


if __name__ == "__main__":
    command.run(main, __doc__)

"""The pipeline as a flow: `dvc repro`, stage by stage, independent stages at the same time."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture, as_completed

from flows import child, dag, disk, gpu, notify, show
from flows.dag import Stage
from stages import provenance

RETRIES = 2  # a killed training goes on from its checkpoint
PAUSE = 5  # seconds before another try


def worth_another_try(_task, _run, state) -> bool:
    """Not where a person has to mend something first."""
    error = state.result(raise_on_failure=False)
    return not (isinstance(error, child.Failed) and error.says)


@task(
    retries=RETRIES, retry_delay_seconds=PAUSE, retry_condition_fn=worth_another_try, cache_policy=NO_CACHE,
    task_run_name="{name}",
)  # fmt: skip
def stage(name: str, checkout: Path, needs_gpu: bool, slots: int) -> None:
    """Bring one stage up to date; it gets its share of the cores, because threads that wait for a core spin."""
    say = get_run_logger().info
    environment = {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": str(max(1, provenance.cores() // slots))}
    command = ["dvc", "--wait-for-lock", "repro", "--single-item", name]
    if not needs_gpu:
        child.run(command, checkout, say, **environment)
        return
    with gpu.one() as shown:
        child.run(command, checkout, say, **environment, **shown)


@flow(name="reproduce", log_prints=True, on_failure=[notify.failed], on_crashed=[notify.failed])
def reproduce(
    targets: list[str] | None = None, slots: int = 2, checkout: str = ".", least_free_gb: float = disk.FLOOR
) -> list[str]:
    """Run what is stale of `targets` (all stages, if there are none) and of what they need; what was run.

    slots: stages at a time. least_free_gb: on the disk, or nothing is begun.
    """
    where = Path(checkout).resolve()
    disk.check(where, least_free_gb)
    if ended := child.reap(where):
        print(f"ended what a killed flow had left running: {ended}")
    if child.mend_locks(where):
        print("dropped DVC's list of locks, which a killed process had left half written")
    gpu.declare(slots)
    stages = dag.read(where)
    wanted, stale = dag.needed(stages, targets or stages), dag.stale(where, stages)
    todo = {name: of for name, of in stages.items() if name in wanted & stale}
    print(f"{len(todo)} of {len(wanted)} stages are stale")
    started = time.monotonic()
    try:
        failed = run_all(todo, slots, where)
    finally:
        child.end_all(where)
    show.results(where, todo, time.monotonic() - started)
    if failed:
        raise RuntimeError(f"{len(failed)} stages failed or could not be run: {', '.join(failed)}")
    return list(todo)


def run_all(todo: dict[str, Stage], slots: int, checkout: Path) -> list[str]:
    """Run stages, each as soon as what it needs is there; those that failed or wait for one that did."""
    waiting, running, failed = dict(todo), {}, []
    while waiting or running:
        for name in ready(waiting, running.values(), failed)[: slots - len(running)]:
            running[stage.submit(name, checkout, waiting.pop(name).gpu, slots)] = name
        if not running:
            break
        done: PrefectFuture = next(iter(as_completed(list(running))))
        done.wait()  # which takes its final state over
        name = running.pop(done)
        if not done.state.is_completed():
            failed.append(name)
    return [*failed, *waiting]


def ready(waiting: dict[str, Stage], running: Iterable[str], failed: list[str]) -> list[str]:
    """Those that wait for none of the others."""
    unfinished = {*waiting, *running, *failed}
    return [name for name, of in waiting.items() if not of.after & unfinished]

"""A stage on another machine, whose worker has a checkout of its own.

The two machines share git, the DVC remote and the Prefect server, no disk. What was made elsewhere comes back through
DVC's run cache, which knows it by its inputs: no dvc.lock is exchanged, and a stage that ran twice does no harm.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast
from uuid import UUID, uuid4

from httpx import HTTPError
from prefect import flow, get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.deployments import run_deployment
from prefect.events.filters import EventFilter, EventNameFilter, EventResourceFilter
from prefect.states import Cancelling, Crashed, Failed

from flows import checkout_lock, child, disk, gpu, local, main_branch, run_cache
from flows.repository import git
from stages import provenance

NAME = re.compile(r"[A-Za-z0-9_][\w.@-]*")
COMMIT = re.compile(r"[0-9a-f]{40}")
MEND = "To mend"  # the state of a stage that fails until a person does something
PATIENCE = 150  # seconds of silence after which a worker counts as dead: five beats (flows/worker.py)
POLL = 5  # seconds between looks at a stage that runs elsewhere

handed_out: set[UUID] = set()  # what this process waits for


class Lost(Exception):
    """The worker that had the stage is gone; another may have it."""


class Stopped(Exception):
    """Somebody cancelled it, and does not want it tried again."""


# The worker's half.


@flow(name="stage", log_prints=True)
def stage(name: str, commit: str, needs_gpu: bool = False, checkout: str = ".") -> State | None:
    """Bring one stage up to date as it is at a commit, with what it needs from the remote, and push what it made."""
    if not NAME.fullmatch(name) or not COMMIT.fullmatch(commit):
        raise ValueError(f"not a stage and a commit: {name!r}, {commit!r}")
    where = Path(checkout).resolve()
    with checkout_lock.alone(where):
        local.prepare(where, provenance.cores(), disk.FLOOR)
        switch(where, commit)
        try:
            # Without --single-item, as what it needs may have been made elsewhere since the commit: dvc.lock does not
            # know of it, the run cache does.
            local.run(name, where, needs_gpu, max(1, len(gpu.allowed())), print, "--pull")
        except child.Failed as failed:
            if failed.says:
                return Failed(name=MEND, message=failed.says)
            raise
        run_cache.push(where, [name])
    return None


def switch(checkout: Path, commit: str) -> None:
    """Make the worker's checkout what the commit says; nothing in it is worth keeping."""
    try:
        git(checkout, "cat-file", "-e", f"{commit}^{{commit}}")
    except RuntimeError:
        git(checkout, "fetch", "--quiet", "origin")
    git(checkout, "checkout", "--quiet", "--force", "--detach", commit)
    if added := git(checkout, "ls-files", "--", "*.dvc").splitlines():
        # `dvc repro` would take what an older commit left there for a new version, and go on with that.
        child.run(["dvc", "--wait-for-lock", "pull", "--force", *added], checkout, print)


# The main checkout's half.


def ready(checkout: Path) -> str:
    """Return the commit that workers are to build; push what it needs and this machine alone has."""
    if not_committed := main_branch.changed(checkout):
        raise RuntimeError(f"commit {not_committed[0]} first: other machines see only what is committed")
    child.run(["dvc", "--wait-for-lock", "push"], checkout, print)
    run_cache.push(checkout)
    return git(checkout, "rev-parse", "HEAD")


def run(name: str, commit: str, needs_gpu: bool, pool: str, patience: float, say: Callable[[str], None]) -> None:
    """Hand a stage to a pool, and wait until what it makes is in the remote."""
    parameters = {"name": name, "commit": commit, "needs_gpu": needs_gpu}
    # A busy server may do what it is asked and not answer in time; Prefect's client then asks again.
    once = str(uuid4())
    begun = run_deployment(
        f"stage/{pool}", parameters=parameters, flow_run_name=name, idempotency_key=once, timeout=0
    )  # fmt: skip
    one = cast(FlowRun, begun).id  # outside of an event loop it is the run itself
    handed_out.add(one)
    try:
        with get_client(sync_client=True) as client:
            state = awaited(client, one, patience, say)
    finally:
        handed_out.discard(one)
    if state.name == MEND:
        raise child.Failed(["stage", name], 1, state.message or "")
    if state.is_cancelled():
        raise Stopped(f"{name} was cancelled")
    if not state.is_completed():
        raise Lost(f"{name}: {state.name}: {state.message}")


def awaited(client: SyncPrefectClient, one: UUID, patience: float, say: Callable[[str], None]) -> State:
    """Return how a run ended. One that nobody has heard of for too long has ended, too: a killed worker says nothing.

    What counts is whether there is news, not its time: clocks of machines differ.
    """
    news, heard = None, time.monotonic()
    while True:
        time.sleep(POLL)
        try:
            state = client.read_flow_run(one).state
            assert state is not None  # every run has one from its first moment
            latest = (state.timestamp, beat(client, one))
        except HTTPError as error:  # as long as the server is away, nobody can be heard
            say(f"the server does not answer: {error}")
            heard = time.monotonic()
            continue
        if state.is_final():
            return state
        if latest != news or state.is_scheduled():  # nobody has taken it yet
            news, heard = latest, time.monotonic()
        elif time.monotonic() - heard > patience:
            dead = Crashed(message=f"nothing was heard of its worker for {patience:g} seconds")
            client.set_flow_run_state(one, dead, force=True)
            return dead


def beat(client: SyncPrefectClient, one: UUID) -> UUID | None:
    """Return a flow run's last sign of life, another for each; Prefect sends them while it runs."""
    wanted = EventFilter(
        event=EventNameFilter(name=["prefect.flow-run.heartbeat"]),
        resource=EventResourceFilter(id=[f"prefect.flow-run.{one}"]),
    )
    return next((event.id for event in client.read_events(wanted, limit=1).events), None)


def cancel_all() -> None:
    """End what this process has handed out."""
    with get_client(sync_client=True) as client:
        for one in tuple(handed_out):
            client.set_flow_run_state(one, Cancelling())


def fetch(names: list[str], checkout: Path) -> None:
    """Take over what was made elsewhere: every stage is in the run cache, and comes into the one dvc.lock."""
    if names:
        child.run(
            ["dvc", "--wait-for-lock", "repro", "--pull", "--single-item", *names], checkout, print,
            PYTHONPATH=str(checkout),
        )  # fmt: skip

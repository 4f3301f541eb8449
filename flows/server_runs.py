"""What the server knows of runs, and whether new ones begin."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.states import Crashed

from flows import password

GOING = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)
SCAN = "arrivals/arrivals"  # flow and deployment


@contextlib.contextmanager
def server(address: str) -> Iterator[SyncPrefectClient]:
    """Return a client of the server at an address, which has this folder's password."""
    with (
        temporary_settings({PREFECT_API_URL: address, PREFECT_API_AUTH_STRING: password.known(Path.cwd())}),
        get_client(sync_client=True) as client,
    ):
        yield client


def found(client: SyncPrefectClient, pools: Iterable[str], states: Iterable[StateType]) -> list[FlowRun]:
    """Return the runs in some states that workers of some pools took or are to take."""
    return client.read_flow_runs(
        flow_run_filter=in_states(states),
        work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=list(pools))),
    )


def in_states(states: Iterable[StateType]) -> FlowRunFilter:
    """Return what asks the server for runs in some states."""
    return FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states))))


def begin(client: SyncPrefectClient, pools: Iterable[str], yes: bool) -> None:
    """Let workers take new runs, or none."""
    for pool in pools:
        client.update_work_pool(pool, WorkPoolUpdate(is_paused=not yes))


def tidy(client: SyncPrefectClient, pool: str) -> None:
    """Put the server in order before the pool's one worker starts.

    What the server takes for running ended with the last worker. Times of a schedule that have passed meanwhile are not
    made up for, because one run does what all of them would.
    """
    for run in found(client, [pool], GOING):
        client.set_flow_run_state(run.id, Crashed(message="it ended with the worker"), force=True)
    for run in found(client, [pool], [StateType.SCHEDULED]):
        due = run.expected_start_time
        if run.auto_scheduled and due is not None and due < datetime.now(UTC):
            client.delete_flow_run(run.id)


def scan(client: SyncPrefectClient) -> None:
    """Have the queue of arrivals looked at now: the schedule's first time lies in the future."""
    with contextlib.suppress(ObjectNotFound):  # it is not deployed
        client.create_flow_run_from_deployment(client.read_deployment_by_name(SCAN).id)

"""A run waits for a person's word on doubtful candidates, but not for ever: without it they are not accepted."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path
from uuid import UUID, uuid4

import pandas as pd
from prefect import pause_flow_run
from prefect.client.schemas.objects import State, StateType
from prefect.exceptions import NotPausedError
from prefect.flow_runs import resume_flow_run
from prefect.runtime import flow_run

from flows import server_runs
from stages import paths
from stages.judge import final_verdicts

POLL = 5  # seconds between two looks whether the run may go on
LATE = 3600  # seconds after which the server would end a run that neither a person nor the clock lets go on


def doubtful(checkout: Path) -> dict[str, int]:
    """Return how many candidates of each experiment are doubtful and not spoken of by anybody."""
    counts = {}
    for path in sorted((checkout / paths.VERDICTS).glob("*.csv")):
        undecided = final_verdicts.undecided(pd.read_csv(path, keep_default_na=False))
        if undecided.any():
            counts[path.stem] = int(undecided.sum())
    return counts


def wait(checkout: Path, name: str, minutes: float) -> None:
    """Pause the flow in which this is called until a person lets it go on, or until so many minutes are over."""
    counts = doubtful(checkout)
    if not counts or not minutes:
        return
    listed = ", ".join(f"{count} of {experiment}" for experiment, count in counts.items())
    print(f"{name}: doubtful are {listed}. Waiting {minutes:g} minutes: `python -m flows.arrivals review {name}`")
    # Not by the pause's own timeout, after which the server calls the run failed.
    clock = threading.Timer(60 * minutes, go_on, [flow_run.id])
    clock.daemon = True
    clock.start()
    # A key counts once in a run, which may come here again for the same product.
    pause_flow_run(timeout=round(60 * minutes) + LATE, poll_interval=POLL, key=f"{name} {uuid4()}")
    clock.cancel()


def look(worktree: Path, name: str, address: str) -> int:
    """Show a waiting product's candidates in the browser; once that ends, by Ctrl-C, too, the run that waits for this
    goes on. How many do."""
    environ = os.environ | {"PYTHONPATH": str(worktree)}
    with contextlib.suppress(KeyboardInterrupt):
        subprocess.run([sys.executable, "-m", "stages.judge.review"], cwd=worktree, env=environ)
    with server_runs.server(address) as client:
        paused = client.read_flow_runs(flow_run_filter=server_runs.in_states([StateType.PAUSED]))
        its = [run.id for run in paused if run.state and waits_for(run.state, name)]
        for run in its:
            go_on(run)
    return len(its)


def waits_for(state: State, name: str) -> bool:
    """Return whether a run in a state waits for a product's review."""
    return str(state.state_details.pause_key).partition(" ")[0] == name


def go_on(run: UUID | str) -> None:
    """Let a run that waits go on, unless somebody else was first."""
    with contextlib.suppress(NotPausedError):
        resume_flow_run(UUID(str(run)))

"""Whom to tell of a run that failed: one short message through a notification block of Prefect's, if one is named."""

from __future__ import annotations

import os
from pathlib import Path

import prefect.blocks.notifications  # noqa: F401 (makes Prefect's own blocks known)
from prefect import Flow, State
from prefect.blocks.abstract import NotificationBlock
from prefect.blocks.core import Block
from prefect.client.schemas.objects import FlowRun
from prefect.logging.loggers import flow_run_logger

from flows import child

BLOCK = "TENFOLD_NOTIFY"  # in the environment: slack-webhook/ops, for one


def failed(flow: Flow, flow_run: FlowRun, state: State) -> None:
    """Tell people of a run that failed. A run that another run started is that one's affair; what goes wrong here
    changes nothing."""
    say = flow_run_logger(flow_run, flow)
    named = os.environ.get(BLOCK)
    if flow_run.parent_task_run_id:
        return
    if not named:
        say.warning("nobody is told of this: %s names no notification block", BLOCK)
        return
    reason = child.one_line(state.message or "", Path.cwd())
    try:
        block = Block.load(named, _sync=True)  # pyright: ignore[reportCallIssue] (its decorator takes it)
        if not isinstance(block, NotificationBlock):
            raise TypeError(f"{named} is no notification block")
        subject = f"tenfold: {flow.name} {(state.name or '').lower()}"
        block.notify(f"{flow.name} ({flow_run.name}): {reason}", subject, _sync=True)  # pyright: ignore[reportCallIssue]
        say.info("told %s", named)
    except Exception as error:  # its own words may hold the address, which is a secret with some services
        say.error("nobody is told of this: %s did not take the message (%s)", named, type(error).__name__)

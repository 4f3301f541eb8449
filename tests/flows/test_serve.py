import shutil
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import serve
from tests.helpers.checkouts import ROOT, becomes, environment

EVERY = "  - interval: 20\n    active: true\n"


@pytest.mark.slow
def test_a_scheduled_run_happens_by_itself_and_all_ends_at_once(pipeline):
    """One command; a run that nobody asked for but the schedule; no process left behind."""
    for name in ("flows", "stages"):
        shutil.copytree(ROOT / name, pipeline / name)
    text = (ROOT / "prefect.yaml").read_text()
    head, rest = text.split("- name: arrivals")
    assert "schedules:" in rest
    (pipeline / "prefect.yaml").write_text(f"{head}  schedules:\n{EVERY}")
    with socket.socket() as free:
        free.bind((serve.HOST, 0))
        port = free.getsockname()[1]
    log = (pipeline / "serve.log").open("w+")
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.serve", "--port", str(port)], cwd=pipeline, env=environment(pipeline),
        stdout=log, stderr=log, text=True,
    )  # fmt: skip
    try:
        assert becomes(lambda: (pipeline / "both").exists() or process.poll() is not None, 300), log.read()
        with (
            temporary_settings({PREFECT_API_URL: f"http://{serve.HOST}:{port}/api"}),
            get_client(sync_client=True) as client,
        ):
            assert becomes(lambda: any(r.state.is_completed() for r in client.read_flow_runs()), 120)
            runs = client.read_flow_runs()
            assert all(run.auto_scheduled for run in runs)
            assert {pool.name for pool in client.read_work_pools()} >= set(serve.POOLS)
        assert not reachable_from_outside(port)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(90) == 0
    assert not answers(f"http://{serve.HOST}:{port}/api/health")


def answers(address: str) -> bool:
    try:
        return urllib.request.urlopen(address, timeout=2).status == 200
    except OSError:
        return False


def reachable_from_outside(port: int) -> bool:
    """Whether the server listens on another address of this machine than the loopback's first."""
    return answers(f"http://127.0.0.2:{port}/api/health")

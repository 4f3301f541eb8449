import shutil
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from flows import drain, password, serve
from tests.helpers import servers
from tests.helpers.checkouts import ROOT, becomes, environment

EVERY = "  - interval: 20\n    active: true\n"


@pytest.fixture
def site(pipeline):
    """A checkout that runs what is stale every few seconds, and a port for its server."""
    for name in ("flows", "stages"):
        shutil.copytree(ROOT / name, pipeline / name)
    text = (ROOT / "prefect.yaml").read_text()
    head, rest = text.split("- name: arrivals")
    assert "schedules:" in rest
    (pipeline / "prefect.yaml").write_text(f"{head}  schedules:\n{EVERY}")
    return pipeline, servers.free_port()


def serving(checkout, port):
    with (checkout / "serve.log").open("a") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "flows.serve", "--port", str(port)], cwd=checkout, env=environment(checkout),
            stdout=log, stderr=log,
        )  # fmt: skip


@pytest.mark.slow
def test_a_scheduled_run_happens_by_itself_and_all_ends_at_once(site):
    """One command; a run that nobody asked for but the schedule; no process left behind, even by a kill."""
    checkout, port = site
    log = checkout / "serve.log"
    process = serving(checkout, port)
    try:
        assert becomes(lambda: "serving:" in log.read_text() or process.poll() is not None, 300)
        assert serving(checkout, port).wait(60) == 2 and "another run" in log.read_text()
        process.kill()  # server and worker go on
        process.wait()
        assert answers(f"http://{serve.HOST}:{port}/api/health")
        process = serving(checkout, port)
        assert becomes(lambda: (checkout / "both").exists() or process.poll() is not None, 300), log.read_text()
        assert "ended what a killed one had left" in log.read_text()
        known = {PREFECT_API_URL: f"http://{serve.HOST}:{port}/api", PREFECT_API_AUTH_STRING: password.made(checkout)}
        with temporary_settings(known), get_client(sync_client=True) as client:
            assert becomes(lambda: any(r.state.is_completed() for r in client.read_flow_runs()), 120)
            runs = client.read_flow_runs()
            assert all(run.auto_scheduled for run in runs)
            assert {pool.name for pool in client.read_work_pools()} >= set(serve.POOLS)
            with (
                temporary_settings({PREFECT_API_AUTH_STRING: None}),
                get_client(sync_client=True) as stranger,
                pytest.raises(PrefectHTTPStatusError, match="401"),
            ):
                stranger.create_flow_run_from_deployment(runs[0].deployment_id)
        assert not reachable_from_outside(port)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(90) == 0
    assert not answers(f"http://{serve.HOST}:{port}/api/health")


def test_a_port_that_another_has_is_left_to_it(site):
    checkout, port = site
    with socket.socket() as other:
        other.bind((serve.HOST, port))
        other.listen()
        assert serving(checkout, port).wait(60) == 2
    (line,) = (checkout / "serve.log").read_text().splitlines()
    assert line.startswith(f"tenfold: {serve.HOST}:{port}: Address already in use") and f"--port {port + 1}" in line


@pytest.mark.parametrize("module", [serve, drain])
def test_a_port_that_there_cannot_be_is_refused(module, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["serve", "--port", "99999"])
    with pytest.raises(SystemExit) as refused:
        module.main()
    assert refused.value.code == 2 and "there is no port 99999" in capsys.readouterr().err


def answers(address: str) -> bool:
    try:
        return urllib.request.urlopen(address, timeout=2).status == 200
    except OSError:
        return False


def reachable_from_outside(port: int) -> bool:
    """Whether the server listens on another address of this machine than the loopback's first."""
    return answers(f"http://127.0.0.2:{port}/api/health")

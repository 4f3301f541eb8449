import signal

import psutil
import pytest

from flows import password
from tests.helpers.checkouts import flow


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in (password.OF_SERVER, password.OF_CLIENT):
        monkeypatch.delenv(name, raising=False)


def test_it_is_made_once_and_only_its_owner_reads_it(tmp_path):
    assert password.known(tmp_path) is None
    made = password.made(tmp_path)
    assert len(made) > 20 and password.made(tmp_path) == password.known(tmp_path) == made
    assert (tmp_path / password.FILE).stat().st_mode & 0o777 == 0o600
    assert password.made(tmp_path / "other") != made


def test_the_environment_s_comes_first(tmp_path, monkeypatch):
    password.made(tmp_path)
    monkeypatch.setenv(password.OF_SERVER, "ada:lovelace")
    monkeypatch.setenv(password.OF_CLIENT, "ada:byron")
    assert password.made(tmp_path) == "ada:lovelace" and password.known(tmp_path) == "ada:byron"


ALONE = """
import httpx
from prefect import flow
from prefect.client.orchestration import get_client
from flows import password

@flow(log_prints=True)
def alone():
    with get_client(sync_client=True) as client:
        print("RAN", len(client.read_flow_runs()))
        print("STRANGER", httpx.post(f"{client.api_url}flow_runs/filter", json={}).status_code)

with password.temporary():
    alone()
"""


@pytest.mark.slow
def test_a_server_that_prefect_starts_for_a_process_asks_for_one_too(tmp_path):
    home = {"PREFECT_HOME": str(tmp_path), "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300"}
    said = flow(tmp_path, home, ALONE).communicate(timeout=300)[0]
    assert "RAN 1" in said and "STRANGER 401" in said, said


@pytest.mark.slow
def test_it_ends_with_the_process_when_that_is_ended(tmp_path):
    home = {"PREFECT_HOME": str(tmp_path), "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300"}
    waits = "    print('STARTED', flush=True)\n    time.sleep(287)\n    with get_client"
    process = flow(tmp_path, home, f"import time\n{ALONE}".replace("    with get_client", waits))
    while "STARTED" not in (line := process.stdout.readline()):
        assert line, "it ended before its flow began"
    started = psutil.Process(process.pid).children(recursive=True)
    assert any("uvicorn" in " ".join(child.cmdline()) for child in started)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    assert not psutil.wait_procs(started, 30)[1]

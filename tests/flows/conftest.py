"""A real Prefect server, and a small pipeline of the real DVC."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import environment, run

PIPELINE = """stages:
  left: {cmd: "sleep 1 && date +%s%N > left.begun && echo left > left", outs: [left]}
  right: {cmd: "date +%s%N > right.begun && sleep 2 && echo right > right", outs: [right]}
  both: {cmd: cat left right > both, deps: [left, right], outs: [both]}
  alone: {cmd: echo alone > alone, outs: [alone]}
"""


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The address of a server of its own, on this machine alone."""
    home = tmp_path_factory.mktemp("prefect")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"PREFECT_HOME": str(home), "DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")} | settings
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (home / "server.log").open("w") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
        address = f"http://127.0.0.1:{port}/api"
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/health", timeout=2)
                break
            except OSError:
                assert process.poll() is None, (home / "server.log").read_text()
                time.sleep(0.5)
        yield settings | {"PREFECT_API_URL": address}
        process.terminate()
        process.wait(30)


@pytest.fixture
def pipeline(tmp_path) -> Path:
    """A checkout with four stages: two that take a while, one that needs both, one that needs nothing."""
    folder = tmp_path / "pipeline"
    folder.mkdir()
    (folder / "dvc.yaml").write_text(PIPELINE)
    for command in (("git", "init", "-q"), ("dvc", "init", "-q"), ("git", "add", "-A"), ("git", "commit", "-qm", "x")):
        run(folder, *command)
    return folder


def flow(checkout: Path, server: dict[str, str], code: str, **more: str) -> subprocess.Popen:
    """A process that runs a flow as a worker would, in a session of its own."""
    environ = environment(Path(__file__).parents[2]) | server | more
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=checkout, env=environ, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip

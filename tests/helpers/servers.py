"""Servers of this machine alone: Prefect's, and those that many machines are given instead of files: Postgres, S3."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

POSTGRES = Path("/usr/lib/postgresql")  # where Debian puts the programs of each version
OWNER = "postgres"  # whom Debian makes for it: it does not run as root


@contextlib.contextmanager
def prefect(home: Path, port: int = 0, **more: str) -> Iterator[dict[str, str]]:
    """Give the settings with which one talks to a Prefect server of its own, which runs until the block ends.

    port: any free one, where it is 0. more: settings of the server."""
    port = port or free_port()
    home.mkdir(exist_ok=True)
    settings = {"PREFECT_HOME": str(home), "DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")} | settings | more
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (home / "server.log").open("w") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
    try:
        answers(f"http://127.0.0.1:{port}/api/health", process, home / "server.log")
        yield settings | {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
    finally:
        process.terminate()
        process.wait(30)


@contextlib.contextmanager
def postgres(place: Path) -> Iterator[str]:
    """Give the address of a Postgres server, as Prefect wants it, until the block ends."""
    found = sorted(POSTGRES.glob("*/bin"))
    if not found:
        pytest.skip("Prefect on Postgres is tested with Debian's, which is not installed here (.ci/debian-packages)")
    data, port = place / "postgres", free_port()
    data.mkdir()
    user = []
    if os.geteuid() == 0:
        shutil.chown(data, OWNER)
        reachable(data, pwd.getpwnam(OWNER).pw_uid)
        user = ["runuser", "-u", OWNER, "--"]
    own = [*user, str(found[-1] / "initdb"), "-D", str(data), "-U", "prefect", "--auth", "trust",
           "--no-locale", "--encoding", "UTF8"]  # fmt: skip
    subprocess.run(own, check=True, capture_output=True, cwd=data)
    with (place / "postgres.log").open("w") as log:
        command = [*user, str(found[-1] / "postgres"), "-D", str(data), "-p", str(port), "-k", "", "-h", "127.0.0.1"]
        process = subprocess.Popen(command, cwd=data, stdout=log, stderr=log)
    try:
        yield f"postgresql+asyncpg://prefect@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        process.wait(30)


def reachable(folder: Path, user: int) -> None:
    """Let a user go through all folders above one: those that pytest makes are their maker's alone."""
    for above in folder.parents:
        if above.stat().st_uid == os.geteuid() and not above.stat().st_mode & 0o001:
            above.chmod(above.stat().st_mode | 0o001)


@contextlib.contextmanager
def s3(place: Path, bucket: str) -> Iterator[dict[str, str]]:
    """Give the settings of a DVC remote in an S3 server with this bucket, until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with (place / "s3.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        answers(f"{address}/moto-api/", process, place / "s3.log")
        urllib.request.urlopen(urllib.request.Request(f"{address}/{bucket}", method="PUT"), timeout=30)
        yield {"url": f"s3://{bucket}/tenfold", "endpointurl": address}
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def answers(address: str, process: subprocess.Popen, log: Path) -> None:
    """Wait until a server that is starting answers."""
    for _ in range(240):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(address, timeout=2)
            return
        assert process.poll() is None, log.read_text()
        time.sleep(0.5)
    raise AssertionError(f"{address} does not answer: {log.read_text()}")

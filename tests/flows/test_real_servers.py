"""Machines that share what several machines are told to share: a DVC remote in S3, a Prefect server on Postgres."""

import sqlite3
import time
from contextlib import closing

import pytest

from tests.helpers import servers
from tests.helpers.checkouts import becomes, flow, run
from tests.helpers.machines import divided, working

CODE = "from flows.reproduce import reproduce; print('RAN', sorted(reproduce(slots=2)))"


@pytest.mark.slow
def test_two_machines_share_s3_and_a_server_on_postgres(tmp_path, monkeypatch):
    pytest.importorskip("moto", reason="the remote in S3 is tested with moto's server, which is not installed here")
    # The address and the bucket are committed; the keys are not.
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    home = tmp_path / "prefect"
    with (
        servers.s3(tmp_path, "results") as remote,
        servers.postgres(tmp_path) as database,
        servers.prefect(home, PREFECT_SERVER_DATABASE_CONNECTION_URL=database) as server,
        working(tmp_path, server, remote),
    ):
        divided(tmp_path / "main", server)
        assert not list(home.glob("*.db"))  # nothing went into a file beside it


@pytest.mark.slow
def test_a_run_outlives_a_server_that_is_gone_for_a_minute(pipeline, tmp_path):
    home, port = tmp_path / "prefect", servers.free_port()
    with servers.prefect(home, port) as server:
        running = flow(pipeline, server, CODE)
        assert becomes(lambda: (pipeline / "right.begun").exists(), 120)
    time.sleep(60)
    with servers.prefect(home, port):
        said = running.communicate(timeout=300)[0]
    assert "RAN ['alone', 'both', 'left', 'right']" in said, said
    assert "up to date" in run(pipeline, "dvc", "status").stdout


@pytest.mark.slow
def test_a_run_outlives_a_database_that_is_locked(pipeline, tmp_path):
    home = tmp_path / "prefect"
    with servers.prefect(home) as server:
        running = flow(pipeline, server, CODE)
        assert becomes(lambda: (pipeline / "right.begun").exists(), 120)
        with closing(sqlite3.connect(home / "prefect.db", timeout=60)) as database:
            database.execute("BEGIN EXCLUSIVE")
            time.sleep(70)  # the server waits for 60
            assert running.poll() is None
            database.rollback()
        said = running.communicate(timeout=300)[0]
    assert "RAN ['alone', 'both', 'left', 'right']" in said, said

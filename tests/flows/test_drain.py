"""An operator's day: the scan at the start, an event, a drain, a start after it, an end in the middle of a run."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import contextmanager, nullcontext

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from ruamel.yaml import YAML

from flows import drain, inbox, password, serve, server_runs
from stages import files
from tests.helpers import servers
from tests.helpers.checkouts import ROOT, becomes, environment
from tests.helpers.sleeping import sleeping

LONG = "until [ -e go ]; do sleep 0.2; done"  # how long a drain takes to begin depends on the machine
SOON = {"PREFECT_WORKER_QUERY_SECONDS": "2"}


@pytest.fixture
def site(pipeline):
    """A checkout with the project's own deployments but without their schedules, and with a long stage."""
    for name in ("flows", "stages"):
        shutil.copytree(ROOT / name, pipeline / name)
    yaml = YAML()
    deployed = yaml.load(ROOT / "prefect.yaml")
    deployed["deployments"] = [of for of in deployed["deployments"] if of["name"] in ("arrivals", "reproduce")]
    for of in deployed["deployments"]:
        of.pop("schedules", None)
    (arrivals,) = [of for of in deployed["deployments"] if of["name"] == "arrivals"]
    arrivals["parameters"]["least_free_gb"] = 0
    yaml.dump(deployed, pipeline / "prefect.yaml")
    text = (pipeline / "dvc.yaml").read_text()
    (pipeline / "dvc.yaml").write_text(text.replace("sleep 2", LONG))
    return pipeline


@contextmanager
def serving(site, port):
    """`make serve`, which says so."""
    with (site / "serve.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.serve", "--port", str(port)], cwd=site, env=environment(site) | SOON,
            stdout=log, stderr=log,
        )  # fmt: skip
        try:
            assert becomes(lambda: "serving:" in said(site) or process.poll() is not None, 300)
            assert process.poll() is None, said(site)
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(120)


def said(site):
    return (site / "serve.log").read_text()


def command(site, module, *arguments, port):
    environ = environment(site) | {"PREFECT_API_URL": f"http://{serve.HOST}:{port}/api"}
    return subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=site, env=environ, text=True)


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """What a drain in a folder asks of a server: whether runs may begin. Signals do afterwards what they did before."""
    said = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["drain"])
    monkeypatch.setattr(server_runs, "server", lambda _: nullcontext())
    monkeypatch.setattr(server_runs, "begin", lambda _, __, yes: said.append(yes))
    (tmp_path / ".prefect").mkdir()
    before = {how: signal.getsignal(how) for how in (signal.SIGTERM, signal.SIGHUP)}
    yield said
    for how, handler in before.items():
        signal.signal(how, handler)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_drain_that_is_ended_lets_runs_begin_again(asked, monkeypatch, capsys, how):
    monkeypatch.setattr(server_runs, "found", lambda *_: signal.raise_signal(how))
    try:
        code = drain.main()
    except SystemExit as ends:
        code = ends.code
    assert code and asked == [False, True]
    assert "given up: runs begin again" in capsys.readouterr().out


def test_a_drain_that_gets_no_answer_lets_runs_begin_again(asked, monkeypatch, capsys):
    def silent(*_):
        raise httpx.ReadTimeout("")

    monkeypatch.setattr(server_runs, "found", silent)
    assert drain.main() == 1 and asked == [False, True]
    assert "no server answers" in capsys.readouterr().err


@pytest.mark.slow
def test_a_day(site):
    port = servers.free_port()

    def ask(deployment):
        return client.create_flow_run_from_deployment(client.read_deployment_by_name(deployment).id).id

    def state(id_):
        return client.read_flow_run(id_).state.type.value

    def completed(count):
        return sum(run.state.is_completed() for run in client.read_flow_runs()) >= count

    with (
        temporary_settings(
            {
                PREFECT_API_URL: f"http://{serve.HOST}:{port}/api",
                PREFECT_API_AUTH_STRING: password.made(site),
            }
        ),
        get_client(sync_client=True) as client,
    ):
        with serving(site, port) as process:
            assert becomes(lambda: completed(1), 120), said(site)  # the scan that nobody asked for
            assert [run.auto_scheduled for run in client.read_flow_runs()] == [False]
            files.write(site / inbox.INCOMING / "No Name" / "READY", "")
            assert command(site, "flows.arrivals", "notify", port=port).wait(120) == 0
            assert becomes(lambda: list((site / inbox.QUARANTINE).glob("*/reason.json")), 120), said(site)
            assert becomes(lambda: completed(2), 60)
            assert {run.created_by.type for run in client.read_flow_runs() if run.created_by} >= {"AUTOMATION"}

            long = ask("reproduce/reproduce")
            assert becomes((site / "right.begun").exists, 120), said(site)
            drain = command(site, "flows.drain", "--port", str(port), port=port)
            assert becomes(lambda: client.read_work_pool("local").is_paused, 120)
            waits = ask("arrivals/arrivals")
            assert not (site / "right").exists() and drain.poll() is None
            (site / "go").touch()
            assert drain.wait(240) == 0 and process.wait(120) == 0
            assert (site / "both").exists()

        with serving(site, port) as process:
            assert state(long) == "COMPLETED"
            assert becomes(lambda: state(waits) == "COMPLETED", 120), said(site)
            text = (site / "dvc.yaml").read_text()
            (site / "dvc.yaml").write_text(text.replace(LONG, "sleep 287"))
            cut = ask("reproduce/reproduce")
            assert becomes(sleeping, 120), said(site)
            process.send_signal(signal.SIGTERM)
            assert process.wait(120) == 0
            assert not sleeping()
    with sqlite3.connect(site / ".prefect" / "prefect.db") as database:
        found = database.execute("select state_type from flow_run where id = ?", (str(cut),)).fetchall()
    assert found == [("CRASHED",)]

"""Server, deployments and worker on this machine alone, in one command; Ctrl-C ends them all, and what they run.

Workers of other machines come in with `--host` and flows/worker.py.
Everything they remember is in .prefect/ (SQLite). The page of runs is at the address that is printed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil

from flows import child, password, server_runs
from stages import files
from stages.problem import Problem

HOST, PORT = "127.0.0.1", 4200
POOLS = ("local", "gpu")
NOTES = Path(".prefect/processes")
PATIENCE = 120  # seconds for the server to answer


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default=HOST, help=f"who may come in (default {HOST}: this machine alone)")
    parser.add_argument("--port", type=as_port, default=PORT)
    asked = parser.parse_args()
    checkout = Path.cwd()
    child.tidy_when_ended(0)
    try:
        with files.locked(checkout / ".prefect" / "serving"):
            if child.reap(checkout / NOTES, end):
                print("serving: ended what a killed one had left running")
            free(asked.host, asked.port)
            return served(checkout, asked.host, asked.port)
    except Problem as problem:
        print(f"tenfold: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0


def as_port(text: str) -> int:
    """Return the port that a person names."""
    number = int(text)
    if not 0 < number < 2**16:
        raise argparse.ArgumentTypeError(f"there is no port {number}: expected 1 to 65535")
    return number


def served(checkout: Path, host: str, port: int) -> int:
    """Have server and worker run until they are to end, or do so by themselves; the exit status."""
    secret = password.made(checkout)
    environ = environment(checkout, host, port) | {password.OF_SERVER: secret, password.OF_CLIENT: secret}
    drained(environ).unlink(missing_ok=True)
    with contextlib.ExitStack() as running:
        running.callback(drained(environ).unlink, missing_ok=True)  # at last, which says that all has ended
        server = running.enter_context(going(["server", "start", "--host", host, "--port", str(port)], environ))
        await_server(environ["PREFECT_API_URL"], server)
        for pool in POOLS:
            prefect(["work-pool", "create", pool, "--type", "process", "--overwrite"], environ)
        prefect(["--no-prompt", "deploy", "--all"], environ)
        with server_runs.server(environ["PREFECT_API_URL"]) as client:
            server_runs.tidy(client, POOLS[0])
            worker = running.enter_context(going(["worker", "start", "--pool", POOLS[0]], environ))
            server_runs.scan(client)
        print(f"serving: http://{host}:{port}, with the password in {password.FILE} (Ctrl-C ends it)", flush=True)
        while server.poll() is None and worker.poll() is None:
            if drained(environ).exists():
                print("serving: drained")
                return 0
            time.sleep(0.5)
    print("serving: the server or the worker has ended by itself", file=sys.stderr)
    return 1


def free(host: str, port: int) -> None:
    """Raise a Problem where another server has the port: ours would end, and that one be taken for it."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((host, port))
        except OSError as error:
            other = f"perhaps another clone is served there; `python -m flows.serve --port {port + 1}` takes another"
            raise Problem(f"{host}:{port}: {error.strerror}; {other}") from None


def address() -> str:
    """Return the server's address: the environment's, or where `make serve` has it."""
    return os.environ.get("PREFECT_API_URL") or f"http://{HOST}:{PORT}/api"


def environment(checkout: Path, host: str, port: int) -> dict[str, str]:
    """Return the environment of server, worker and runs: nothing leaves the machine."""
    return {
        name: value for name, value in os.environ.items() if name not in ("PREFECT_API_URL", "TENFOLD_CHECKOUT")
    } | {
        "PREFECT_HOME": str(checkout / ".prefect"), "PREFECT_API_URL": f"http://{host}:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1", "DVC_NO_ANALYTICS": "1",
        "PYTHONPATH": str(checkout),
    }  # fmt: skip


@contextlib.contextmanager
def going(arguments: list[str], environ: dict[str, str]) -> Iterator[subprocess.Popen]:
    """Have server or worker run for a while. Should this process be killed, the next finds it by a note."""
    process = subprocess.Popen([sys.executable, "-m", "prefect", *arguments], env=environ, start_new_session=True)
    with child.noted(Path(environ["PREFECT_HOME"]) / NOTES.name, process.pid):
        try:
            yield process
        finally:
            end(process.pid)


def end(pid: int) -> None:
    """End server or worker; first the runs that a worker started, each in a session of its own, while the server still
    hears what becomes of them."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for run in psutil.Process(pid).children():
            with contextlib.suppress(ProcessLookupError):
                if os.getpgid(run.pid) == run.pid:
                    child.end(run.pid)
    child.end(pid)


def drained(environ: dict[str, str]) -> Path:
    """Return the file with which flows/drain.py says that nothing runs any more."""
    return Path(environ["PREFECT_HOME"]) / "drained"


def prefect(arguments: list[str], environ: dict[str, str]) -> None:
    done = subprocess.run([sys.executable, "-m", "prefect", *arguments], env=environ, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"prefect {' '.join(arguments)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def await_server(address: str, server: subprocess.Popen) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{address}/health", timeout=2)
            return
        except OSError:
            if server.poll() is not None:
                raise RuntimeError("the server did not start; what it said stands above") from None
            time.sleep(0.5)
    raise RuntimeError(f"the server did not answer within {PATIENCE} seconds")


if __name__ == "__main__":
    sys.exit(main())

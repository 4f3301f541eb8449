"""End `make serve` without ending what runs: nothing new begins, what runs is waited for, then all of it ends.

Ctrl-C gives it up, and so does whatever else ends it: runs begin again. Whatever waits is taken by the next
`make serve`.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from pathlib import Path

import httpx

from flows import child, serve, server_runs

CALM = 10  # seconds without a run after which no worker has one in its hands
PATIENCE = 120  # seconds for the server to end


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=serve.as_port, default=serve.PORT)
    port = parser.parse_args().port
    child.tidy_when_ended()
    environ = serve.environment(Path.cwd(), serve.HOST, port)
    if not serve.drained(environ).parent.is_dir():
        print("tenfold: nothing is served from this folder", file=sys.stderr)
        return 1
    try:
        wait(environ["PREFECT_API_URL"])
    except (httpx.HTTPError, RuntimeError):
        print(f"tenfold: no server answers at {environ['PREFECT_API_URL']}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 1
    serve.drained(environ).touch()
    deadline = time.monotonic() + PATIENCE
    while serve.drained(environ).exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    return int(serve.drained(environ).exists())


def wait(address: str) -> None:
    """Let no run begin, and wait for those that go on."""
    with server_runs.server(address) as client:
        try:
            server_runs.begin(client, serve.POOLS, False)
            since, said = time.monotonic(), ""
            while time.monotonic() - since < CALM:
                names = sorted(run.name for run in server_runs.found(client, serve.POOLS, server_runs.GOING))
                if names:
                    since = time.monotonic()
                if (now := ", ".join(names) or "nothing") != said:
                    said = now
                    print(f"waiting for {said}" if names else "nothing runs", flush=True)
                time.sleep(1)
        except BaseException:  # a signal, and an answer that does not come, too
            with contextlib.suppress(httpx.HTTPError, RuntimeError):  # there is no server; the next lets runs begin
                server_runs.begin(client, serve.POOLS, True)
                print("given up: runs begin again")
            raise


if __name__ == "__main__":
    sys.exit(main())

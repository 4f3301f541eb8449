"""Let this checkout run stages for a server elsewhere; Ctrl-C ends it.

Start it in a clone of its own: it is set to whatever commit is asked for, and what is not committed there is lost. It
runs one stage at a time. A machine with several GPUs has a clone and a worker for each.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
from pathlib import Path

from flows import main_branch, serve

BEAT = 30  # seconds between signs of life, the least that Prefect takes


def main() -> int:
    """Become a worker of the pool, or say why not and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True, help="its address, such as http://main:4200/api")
    parser.add_argument("--pool", default=serve.POOLS[1], help="whose runs it takes (default %(default)s)")
    parser.add_argument("--name", default=f"{socket.gethostname()}-{Path.cwd().name}", help="(default %(default)s)")
    asked = parser.parse_args()
    checkout = Path.cwd()
    if changed := main_branch.changed(checkout):
        print(f"tenfold: {changed[0]} is not as committed, and would be lost: start it in a clone of its own")
        return 2
    command = ["-m", "prefect", "worker", "start", "--pool", asked.pool, "--limit", "1", "--name", asked.name]
    return os.execve(sys.executable, [sys.executable, *command], environment(checkout, asked.server))


def environment(checkout: Path, server: str) -> dict[str, str]:
    """Return the environment of a worker and its runs. prefect.yaml sends its stages to TENFOLD_CHECKOUT."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(BEAT)} | serve.environment(checkout, serve.HOST, serve.PORT) | {
        "PREFECT_API_URL": server, "TENFOLD_CHECKOUT": str(checkout), "PATH": path,
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())

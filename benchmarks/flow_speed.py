"""Three independent stages of ten seconds: the flow on two slots beside `dvc repro`, one after the other.

What the flow needs beyond the ideal of twenty seconds, once Python and Prefect are loaded, is its overhead: DVC's start
for each stage, what Prefect is told, artifacts.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import conditions
from flows import serve
from stages import command

STAGES, SECONDS, SLOTS = 3, 10, 2
PORT = 4398
CODE = f"""
import pathlib, psutil, time
from flows.reproduce import reproduce
pathlib.Path("starting").write_text(str(time.time() - psutil.Process().create_time()))
reproduce(slots={SLOTS})
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        environ = serve.environment(folder, serve.HOST, PORT) | {"PYTHONPATH": str(Path.cwd())}
        with serve.going(["server", "start", "--host", serve.HOST, "--port", str(PORT)], environ) as server:
            serve.await_server(environ["PREFECT_API_URL"], server)
            serial = timed(folder / "serial", ["dvc", "repro"], environ)
            parallel = timed(folder / "parallel", [sys.executable, "-c", CODE], environ)
            starting = float((folder / "parallel" / "starting").read_text())
    ideal = -(-STAGES // SLOTS) * SECONDS
    conditions.record("flow_speed", {
        "stages": STAGES, "seconds of each": SECONDS, "slots": SLOTS,
        "dvc repro, seconds": round(serial, 1), "flow, seconds": round(parallel, 1),
        "times faster": round(serial / parallel, 2), "start of Python and Prefect, seconds": round(starting, 1),
        "overhead of the flow, seconds": round(parallel - starting - ideal, 1),
        "overhead of dvc repro, seconds": round(serial - STAGES * SECONDS, 1),
    }, ("prefect", "dvc"))  # fmt: skip


def timed(folder: Path, run: list[str], environ: dict[str, str]) -> float:
    """Seconds that a command takes in a new checkout."""
    folder.mkdir()
    stages = "".join(f"  s{k}: {{cmd: sleep {SECONDS} && echo {k} > {k}, outs: ['{k}']}}\n" for k in range(STAGES))
    (folder / "dvc.yaml").write_text(f"stages:\n{stages}")
    quiet = {"env": environ, "cwd": folder, "check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(["git", "init", "-q"], **quiet)
    subprocess.run(["dvc", "init", "-q"], **quiet)
    started = time.monotonic()
    subprocess.run(run, **quiet)
    return time.monotonic() - started


if __name__ == "__main__":
    command.run(main, __doc__)

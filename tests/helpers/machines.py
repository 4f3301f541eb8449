"""Machines that share a pipeline's stages: a main checkout, and clones of it in which workers work."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.helpers.checkouts import ROOT, becomes, environment, flow, run

CODE = "from flows.reproduce import reproduce; print('RAN', reproduce({targets}, 3, pool='gpu', patience={patience}))"
WORKERS = ("one", "two")
# `left` and `right` wait for each other, so that no machine can do both; each stage writes whose it was. Whoever comes
# first to `slow`, never gets to its end. DVC knows only stages that depend on something by their inputs.
STAGES = """stages:
  first: {cmd: 'cat input > first && echo "first $WHO" >> first', deps: [input, added], outs: [first]}
  left: {cmd: sh meet.sh left right, deps: [first, meet.sh], outs: [left]}
  right: {cmd: sh meet.sh right left, deps: [first, meet.sh], outs: [right], metrics: [right.json: {cache: false}]}
  both: {cmd: 'cat left right > both && echo "both $WHO" >> both', deps: [left, right], outs: [both]}
  slow: {cmd: sh slow.sh, deps: [slow.sh], outs: [slow]}
  endless: {cmd: sleep 286, deps: [input], outs: [endless]}
"""
MEET = """touch "$SHARED/$1"
until [ -e "$SHARED/$2" ]; do sleep 0.2; done
{ cat first; echo "$1 $WHO"; } > "$1"
echo '{"a": 1}' > "$1.json"
"""
SLOW = """if mkdir "$SHARED/victim" 2>/dev/null; then echo "$WHO" > "$SHARED/victim/who"; sleep 600; fi
echo "slow $WHO" > slow
"""


@contextlib.contextmanager
def working(place: Path, server: dict[str, str], remote: dict[str, str]) -> Iterator[dict[str, subprocess.Popen]]:
    """Make a main checkout in `place`, and give two workers at work in two clones of it until the block ends.

    remote: the settings of its DVC remote, its url among them."""
    (place / "shared").mkdir()
    main = checkout(place, remote)
    deploy(main, server)
    processes = {}
    try:
        for name in WORKERS:
            run(place, "git", "clone", "-q", str(main), name)
            processes[name] = joined(place / name, name, server)
        assert becomes(lambda: at_work(server) == set(WORKERS), 120), "the workers did not start"
        yield processes
    finally:
        for process in processes.values():
            kill(process)


def checkout(place: Path, remote: dict[str, str]) -> Path:
    """Make the main checkout: a pipeline, and the flows that its clones run."""
    main = place / "main"
    for name in ("flows", "stages"):
        shutil.copytree(ROOT / name, main / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "prefect.yaml", main)
    files = {"dvc.yaml": STAGES, "input": "input\n", "added": "added\n", "meet.sh": MEET, "slow.sh": SLOW}
    for name, text in files.items():
        (main / name).write_text(text)
    outs = "".join(f"/{name}\n" for name in ("first", "left", "right", "both", "slow", "endless"))
    (main / ".gitignore").write_text("__pycache__/\n/.prefect/\n" + outs)  # DVC would add them, and a run refuse that
    for command in (("git", "init", "-q", "-b", "main"), ("dvc", "init", "-q"), ("dvc", "add", "-q", "added"),
                    ("dvc", "remote", "add", "-q", "-d", "store", remote["url"]),
                    *(("dvc", "remote", "modify", "-q", "store", key, value) for key, value in remote.items()),
                    ("git", "add", "-A"), ("git", "commit", "-qm", "Start")):  # fmt: skip
        run(main, *command)
    return main


def deploy(main: Path, server: dict[str, str]) -> None:
    for arguments in (("work-pool", "create", "gpu", "--type", "process", "--overwrite"),
                      ("--no-prompt", "deploy", "--name", "gpu")):  # fmt: skip
        command = [sys.executable, "-m", "prefect", *arguments]
        done = subprocess.run(command, cwd=main, env=environment(main) | server, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def joined(clone: Path, name: str, server: dict[str, str]) -> subprocess.Popen:
    """A worker, as `make worker` starts it."""
    environ = environment(clone) | {
        "WHO": name, "SHARED": str(clone.parent / "shared"), "PREFECT_WORKER_QUERY_SECONDS": "1",
    }  # fmt: skip
    command = [sys.executable, "-m", "flows.worker", "--server", server["PREFECT_API_URL"], "--name", name]
    with (clone.parent / f"{name}.log").open("w") as log:
        return subprocess.Popen(command, cwd=clone, env=environ, stdout=log, stderr=log, start_new_session=True)


def at_work(server: dict[str, str]) -> set[str]:
    with talk(server) as client:
        found = client.request("POST", "/work_pools/{name}/workers/filter", path_params={"name": "gpu"}, json={}).json()
    return {one["name"] for one in found if one["status"] == "ONLINE"}


@contextlib.contextmanager
def talk(server: dict[str, str]):
    with temporary_settings({PREFECT_API_URL: server["PREFECT_API_URL"]}), get_client(sync_client=True) as client:
        yield client


def begin(main: Path, server: dict[str, str], target: str, patience: float = 300) -> subprocess.Popen:
    """Start a run of one stage, and all that it needs, on the machines."""
    code = CODE.format(targets=[target], patience=patience)
    return flow(main, server, code, WHO="main", SHARED=str(main.parent / "shared"))


def ended(process: subprocess.Popen) -> str:
    try:
        return process.communicate(timeout=400)[0]
    except subprocess.TimeoutExpired:
        kill(process)
        raise


def kill(process: subprocess.Popen) -> None:
    """As a machine dies: at once, with all it ran."""
    if process.poll() is None:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        process.wait()


def divided(main: Path, server: dict[str, str]) -> None:
    """Let the machines make all there is, and look whether each did its part and the main checkout has it all."""
    said = ended(begin(main, server, "both"))
    assert "RAN ['first', 'left', 'right', 'both']" in said, said
    did = dict(line.split() for line in (main / "both").read_text().splitlines() if " " in line)
    assert did.keys() == {"first", "left", "right", "both"}
    assert {did["left"], did["right"]} == set(WORKERS)
    assert "main" not in did.values()  # nothing was computed again there
    assert (main / "right.json").exists()
    assert "up to date" in run(main, "dvc", "status", "both", "--with-deps").stdout
    locks = [path for path in main.parent.rglob("dvc.lock") if run(path.parent, "git", "ls-files", "dvc.lock").stdout]
    assert locks == []  # workers commit none

"""A thousand products in one repository, each with three stages that do nothing: what DVC and Prefect themselves need.

What is measured is what flows/reproduce.py does for each stage: read the pipeline, bring one stage up to date (for how
long nobody else can), send it to the remote (a folder), take it over from there on another machine; and how much a
Prefect server with SQLite takes in. The repository is made as if all stages had run, because running them would take
hours; what is measured are the real commands. Seconds are a core's, so that whatever else runs on the machine does not
count; DVC uses one, and waits for little else here.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import yaml
from dvc.repo import Repo
from httpx import HTTPError
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Completed, Pending, Running, Scheduled

from benchmarks import conditions
from flows import remote, serve
from stages import command

PRODUCTS = (100, 1000)
STAGES = {"data": "code.txt", "model": "data", "verdict": "model"}  # what each is made of
RUNS, AT_A_TIME = 200, 8
PORT = 4396

READ = "from pathlib import Path; from flows import dag; dag.read(Path())"
STALE = "from pathlib import Path; from flows import dag; p = Path(); dag.stale(p, dag.read(p))"
PUSH = "import sys, pathlib; from flows.run_cache import push; assert push(pathlib.Path(), sys.argv[1:]) == 1"
HOLD = """
import sys, time
from dvc.repo import Repo
with Repo() as repo:
    started = time.process_time()  # from here on the lock is held, but for the command's own time, which is nothing
    repo.reproduce(sys.argv[1], single_item=True, force=True)
    print(time.process_time() - started)
"""


def main() -> None:
    figures: dict[str, float] = {
        "stages of a product": len(STAGES), "load of the machine at the beginning": round(os.getloadavg()[0], 1),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        environ = serve.environment(Path(place), serve.HOST, PORT) | {"PYTHONPATH": str(Path.cwd())}
        figures |= served(environ)
        for products in PRODUCTS:
            for name, seconds in measured(Path(place) / str(products), products, environ):
                figures[f"{products} products: {name}"] = round(seconds, 2)
                print(f"{products} products: {name}: {seconds:.2f}", flush=True)  # a while before the rest
    conditions.record("many_products", figures, ("prefect", "dvc"))


def measured(folder: Path, products: int, environ: dict[str, str]) -> Iterator[tuple[str, float]]:
    """Each thing that is done, and the seconds it takes."""
    origin, store, clone = folder / "origin", folder / "store", folder / "clone"
    made(origin, products, store, environ)
    one, whole = f"model@{product(1)}", [f"{stage}@{product(2)}" for stage in STAGES]
    yield "flows/dag.read, seconds", timed([sys.executable, "-c", READ], origin, environ)
    yield "… and which are stale, seconds", timed([sys.executable, "-c", STALE], origin, environ)
    yield "dvc status, seconds", timed(["dvc", "status"], origin, environ)
    yield "dvc repro -s, nothing to do, seconds", timed(["dvc", "repro", "-s", one], origin, environ)
    yield (
        "dvc repro -s, a command that does nothing, seconds",
        timed(["dvc", "repro", "-s", "-f", one], origin, environ),
    )
    yield (
        "… for which the lock is held, seconds",
        float(run([sys.executable, "-c", HOLD, one], origin, environ).splitlines()[-1]),
    )
    yield "dvc push --run-cache, everything, seconds", timed(["dvc", "push", "--run-cache"], origin, environ)
    yield "dvc push --run-cache, one stage, seconds", timed(["dvc", "push", "--run-cache", one], origin, environ)
    yield "flows/run_cache.push, one stage, seconds", timed([sys.executable, "-c", PUSH, one], origin, environ)
    run(["git", "clone", "-q", str(origin), str(clone)], folder, environ)
    forget(clone, [one, *whole])
    yield (
        "dvc repro --pull of one stage in a new clone, seconds",
        timed(["dvc", "repro", "--pull", one], clone, environ),
    )
    taken = timed(["dvc", "repro", "--pull", "-s", *whole], clone, environ)
    yield "taking over one of a product's stages in a clone, seconds", taken / len(whole)
    yield "dvc.lock, MB", sum(path.stat().st_size for path in origin.rglob("dvc.lock")) / 1e6


def made(folder: Path, products: int, store: Path, environ: dict[str, str]) -> None:
    """A repository in which every stage has run: files, dvc.lock, cache and run cache are as DVC leaves them."""
    folder.mkdir(parents=True)
    for arguments in (["git", "init", "-q"], ["dvc", "init", "-q"],
                      ["dvc", "remote", "add", "-q", "-d", "store", str(store)]):  # fmt: skip
        run(arguments, folder, environ)
    write(folder / "code.txt", "code\n")
    everyone = [product(k) for k in range(products)]
    write(folder / "params.yaml", yaml.safe_dump({"products": everyone}))
    templates = {stage: {"foreach": "${products}", "do": described(stage, "${item}")} for stage in STAGES}
    entries = {f"{stage}@{name}": locked(folder, stage, name) for name in everyone for stage in STAGES}
    put(folder, templates, entries)
    write(folder / ".gitignore", "".join(f"{stage}/\n" for stage in STAGES))
    with contextlib.chdir(folder), Repo() as repo:  # DVC's run cache goes by the folder that one is in
        for stage in repo.index.stages:
            repo.stage_cache.save(stage)
    for arguments in (["git", "add", "-A"], ["git", "commit", "-qm", "All"]):
        run(arguments, folder, environ)


def product(number: int) -> str:
    return f"p{number:04}"


def path_of(stage: str, name: str) -> str:
    return f"{stage}/{name}"


def needs(stage: str, name: str) -> str:
    of = STAGES[stage]
    return of if of == "code.txt" else path_of(of, name)


def described(stage: str, name: str) -> dict:
    made_ = path_of(stage, name)
    return {"cmd": f"echo {stage} {name} > {made_}", "deps": [needs(stage, name)], "outs": [made_]}


def locked(folder: Path, stage: str, name: str) -> dict:
    """A stage's entry in dvc.lock; what it made is put where it belongs, and into the cache."""
    content = f"{stage} {name}\n"
    made_ = path_of(stage, name)
    write(folder / made_, content)
    write(folder / ".dvc" / "cache" / "files" / "md5" / digest(content)[:2] / digest(content)[2:], content)
    of = STAGES[stage]
    before = "code\n" if of == "code.txt" else f"{of} {name}\n"
    entries = {"deps": (needs(stage, name), before), "outs": (made_, content)}
    return {"cmd": described(stage, name)["cmd"]} | {
        key: [{"path": path, "hash": "md5", "md5": digest(text), "size": len(text)}]
        for key, (path, text) in entries.items()
    }


def put(folder: Path, stages: dict, entries: dict) -> None:
    write(folder / "dvc.yaml", yaml.safe_dump({"stages": stages}, sort_keys=False))
    write(folder / "dvc.lock", yaml.safe_dump({"schema": "2.0", "stages": entries}, sort_keys=False))


def forget(clone: Path, names: list[str]) -> None:
    """Let a clone not know that some stages have run."""
    lock = yaml.load((clone / "dvc.lock").read_text(), yaml.CSafeLoader)
    for name in names:
        del lock["stages"][name]
    (clone / "dvc.lock").write_text(yaml.dump(lock, Dumper=yaml.CSafeDumper, sort_keys=False))


def digest(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def run(arguments: list[str], folder: Path, environ: dict[str, str]) -> str:
    done = subprocess.run(arguments, cwd=folder, env=environ, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def timed(arguments: list[str], folder: Path, environ: dict[str, str]) -> float:
    """Seconds of a core that a command takes."""
    before = os.times()
    run(arguments, folder, environ)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def served(environ: dict[str, str]) -> dict[str, float]:
    """What a server with SQLite needs for a flow run, and how many it takes in."""
    with serve.going(["server", "start", "--host", serve.HOST, "--port", str(PORT)], environ) as server:
        serve.await_server(environ["PREFECT_API_URL"], server)
        found = {}
        for name, ask in (("flow runs, from scheduled to completed", flow_runs), ("looks at a flow run", looks)):
            before, started = core_seconds(server), time.monotonic()
            done = ask(environ)
            found[f"server: {name}, a second"] = round(done / (time.monotonic() - started), 1)
            found[f"server: {name}, seconds for each"] = round((core_seconds(server) - before) / max(1, done), 3)
            found[f"server: {name}, refused of {RUNS}"] = RUNS - done
        return found


def core_seconds(process: subprocess.Popen) -> float:
    spent = psutil.Process(process.pid).cpu_times()
    return spent.user + spent.system


def flow_runs(environ: dict[str, str]) -> int:
    """Runs that go through all their states, as runs of workers do."""
    return many(environ, through)


def through(client: SyncPrefectClient) -> None:
    one = client.create_flow_run(nothing, state=Scheduled())
    for state in (Pending(), Running(), Completed()):
        client.set_flow_run_state(one.id, state)


def looks(environ: dict[str, str]) -> int:
    """Whether a stage that runs elsewhere is done, and still lives."""
    with talk(environ) as client:
        one = client.create_flow_run(nothing, state=Scheduled()).id
    return many(environ, lambda client: (client.read_flow_run(one), remote.beat(client, one)))


def many(environ: dict[str, str], do: Callable[[SyncPrefectClient], object]) -> int:
    """Do it often, several at a time; how often the server did it, for all that Prefect's client asks five times."""

    def some(times: int) -> int:
        done = 0
        with talk(environ) as client:
            for _ in range(times):
                with contextlib.suppress(HTTPError):
                    do(client)
                    done += 1
        return done

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return sum(pool.map(some, [RUNS // AT_A_TIME] * AT_A_TIME))


@contextlib.contextmanager
def talk(environ: dict[str, str]) -> Iterator[SyncPrefectClient]:
    with (
        temporary_settings({PREFECT_API_URL: environ["PREFECT_API_URL"]}),
        get_client(sync_client=True) as client,
    ):
        yield client


@flow
def nothing() -> None:
    pass


if __name__ == "__main__":
    command.run(main, __doc__)

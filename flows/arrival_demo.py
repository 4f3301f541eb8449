"""See an arrival from beginning to end: a new product of the bins world, and a broken folder, at scale smoke.

In a clone of this checkout in a temporary folder, with a server and a worker of its own. Shows what was committed, what
was put aside and why, and what the product changed. At this scale nothing is learnt, so the product is left on its
branch with the reason; what is shown is the way.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
from ruamel.yaml import YAML

from flows import branch, child, inbox, main_branch, repository, serve
from stages import files, settings
from stages.dataset import coco
from stages.dataset.bins import world

NAME, BROKEN = "can_rose", "can_broken"
TRAINING, TEST = 10, 6  # photographs
PORT = 4397
PATIENCE = 900  # seconds
ARMS = ("ten", "ten_standard", "paste", "warm_ten")  # enough for both decisions, with one seed each
HEADLINE = "reports/metrics/headline.json"


def main() -> int:
    started = time.monotonic()
    serve.tidy_when_ended()
    with tempfile.TemporaryDirectory(prefix="tenfold-") as place:
        checkout = prepared(Path.cwd(), Path(place) / "tenfold")
        environ = serve.environment(checkout, serve.HOST, PORT)
        command = [sys.executable, "-m", "flows.serve", "--port", str(PORT)]
        with (checkout / "serve.log").open("w") as log:
            server = subprocess.Popen(
                command, cwd=checkout, env=environ, stdout=log, stderr=log, start_new_session=True
            )
            try:
                await_line(checkout / "serve.log", "serving:", server)
                print(f"{time.monotonic() - started:.0f} s: serving; two folders arrive in {inbox.INCOMING}/")
                drop(checkout)
                subprocess.run(
                    [sys.executable, "-m", "flows.arrivals", "notify"], cwd=checkout, env=environ, check=True
                )
                states = await_states(checkout, started)
            finally:
                child.end(server.pid)
        show(checkout, states)
        print(f"\n{time.monotonic() - started:.0f} seconds in all")
        return 0 if states.get(BROKEN) == "quarantined" and states.get(NAME) in ("left", "promoted") else 1


def prepared(source: Path, checkout: Path) -> Path:
    """Clone the project at scale smoke, with few settings besides; return the clone, in which the dataset is drawn."""
    subprocess.run(["git", "clone", "--quiet", str(source), str(checkout)], check=True)
    subprocess.run(["git", "checkout", "--quiet", "-B", main_branch.MAIN], cwd=checkout, check=True)
    params = YAML().load(checkout / settings.PARAMS)
    params["scale"] = "smoke"
    params["arrival"]["review_minutes"] = 0  # nobody is there to look
    params["arrival"]["targets"] = [f"arm@{name}" for name in ARMS]
    params["scales"]["smoke"]["evidence"]["seeds"] = 1
    files.write(checkout / settings.PARAMS, settings.written(params))
    environ = serve.environment(checkout, serve.HOST, PORT)
    subprocess.run(["dvc", "repro", "--quiet", "health"], cwd=checkout, env=environ, check=True)
    repository.commit(checkout, "Draw the dataset at scale smoke", "dvc.lock", str(settings.PARAMS))
    return checkout


def drop(checkout: Path) -> None:
    """Put two folders into the queue: a product that the dataset does not have, and one whose annotations are no
    JSON."""
    params = settings.load(checkout / settings.PARAMS)
    rule = msgspec.structs.replace(params.now.bins, images={NAME: TRAINING + TEST}, extra_test={})
    with tempfile.TemporaryDirectory(dir=checkout) as drawn:
        world.generate(rule, params.seed, Path(drawn))
        dataset = coco.read(Path(drawn) / "annotations.json")
        ids = [image.id for image in dataset.images]
        folder = checkout / inbox.INCOMING / NAME
        for part, chosen in ((folder, ids[:TRAINING]), (folder / "test", ids[TRAINING:])):
            some = coco.subset(dataset, chosen)
            for image in some.images:
                target = part / "images" / image.file_name
                files.write(target, (Path(drawn) / "images" / image.file_name).read_bytes())
            coco.write(part / "annotations.json", some)
    files.write(folder / "product.yaml", "classes: []\n")
    broken = checkout / inbox.INCOMING / BROKEN
    files.write(broken / "product.yaml", "classes: []\n")
    files.write(broken / "annotations.json", "{")
    for path in (folder, broken):
        (path / "READY").touch()


def await_line(log: Path, word: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + serve.PATIENCE
    while word not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(log.read_text()[-2000:])
        time.sleep(0.2)


def await_states(checkout: Path, started: float) -> dict[str, str]:
    """Wait until both arrivals are dealt with, telling each step."""
    states: dict[str, str] = {}
    while time.monotonic() - started < PATIENCE:
        for of in inbox.read(checkout):
            if states.get(of.name) != of.state:
                states[of.name] = of.state
                print(f"{time.monotonic() - started:.0f} s: {of.name} {of.state} {of.why}", flush=True)
        if len(states) == 2 and not set(states.values()) & set(inbox.OPEN):
            break
        time.sleep(0.5)
    return states


def show(checkout: Path, states: dict[str, str]) -> None:
    """Print the commits, what was put aside and why, and what the product changed."""
    if states.get(NAME) not in ("left", "promoted"):
        print((checkout / "serve.log").read_text()[-3000:])
        return
    commands = (
        ["git", "log", "--oneline", "--stat", f"{main_branch.MAIN}~1..{branch.named(NAME)}"],
        ["cat", *map(str, (checkout / inbox.QUARANTINE).glob("*/reason.json"))],
        ["dvc", "metrics", "diff", main_branch.MAIN, branch.named(NAME), "--no-path", "--targets", HEADLINE],
    )
    for command in commands:
        print(f"\n$ {' '.join(command)}".replace(f"{checkout}/", ""), flush=True)
        subprocess.run(command, cwd=checkout)


if __name__ == "__main__":
    sys.exit(main())

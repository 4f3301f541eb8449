"""See three folders arrive, from beginning to end: a new product whose detector is put to use, one that was annotated
carelessly, and one that cannot be read.

In a clone of this checkout in a temporary folder, with a small world, a server and a worker of its own. Trainings are
short, without composed pictures: minutes. Shows what became of each and why, what was committed, and what the first
one changed.
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
from stages import files, paths, settings
from stages.dataset import coco, subset
from stages.dataset.bins import world

PROMOTED, LEFT, QUARANTINED = "spray_ice", "can_silver", "can_broken"
EXPECTED = {PROMOTED: "promoted", LEFT: "left", QUARANTINED: "quarantined"}
KNOWN = {"tube_mint": 60, "bottle_azure": 60, "can_cobalt": 60, "spray_night": 60}  # photographs that are there before
TRAINING, TEST = 10, 30  # photographs of a new product
BESIDE = 0.6  # of a box's width: so far beside its object the careless hand drew it
STEPS = 300  # of an arm's training
ARMS = ("ten_standard", "warm_ten")  # one seed each
PORT = 4397
PATIENCE = 1800  # seconds
HEADLINE = "reports/metrics/headline.json"


def main() -> int:
    started = time.monotonic()
    child.tidy_when_ended(0)
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
                print(f"{time.monotonic() - started:.0f} s: serving; three folders arrive in {inbox.INCOMING}/")
                drop(checkout)
                subprocess.run(
                    [sys.executable, "-m", "flows.arrivals", "notify"], cwd=checkout, env=environ, check=True
                )
                states = await_states(checkout, started)
            finally:
                server.terminate()  # and let it end worker and server: they outlive it if it is made to
                server.wait(serve.PATIENCE)
        show(checkout, states)
        print(f"\n{time.monotonic() - started:.0f} seconds in all")
        return 0 if states == EXPECTED else 1


def prepared(source: Path, checkout: Path) -> Path:
    """Clone the project, with fewer photographs and shorter trainings; return the clone, its dataset drawn."""
    subprocess.run(["git", "clone", "--quiet", str(source), str(checkout)], check=True)
    subprocess.run(["git", "checkout", "--quiet", "-B", main_branch.NAME], cwd=checkout, check=True)
    params = YAML().load(checkout / settings.PARAMS)
    params["scale"], params["dataset"]["source"] = "demo", "bins"
    params["arrival"]["review_minutes"] = 0  # nobody is there to look
    params["arrival"]["targets"] = [*(f"arm@{name}" for name in ARMS), "fold"]
    params["scales"]["demo"]["bins"] |= {"images": KNOWN, "extra_test": {}, "shifted": 0}
    params["scales"]["demo"]["evidence"] |= {"steps": STEPS, "seeds": 1}
    files.write(checkout / settings.PARAMS, settings.written(params))
    environ = serve.environment(checkout, serve.HOST, PORT)
    subprocess.run(["dvc", "repro", "--quiet", "health"], cwd=checkout, env=environ, check=True)
    repository.commit(checkout, "Draw a small world", "dvc.lock", str(settings.PARAMS), str(paths.REPORTS))
    return checkout


def drop(checkout: Path) -> None:
    """Put three folders into the queue: two products that the dataset does not have, one of them with its boxes beside
    the objects; and one whose annotations are no JSON."""
    incoming = checkout / inbox.INCOMING
    params = settings.load(checkout / settings.PARAMS)
    rule = msgspec.structs.replace(params.now.bins, images=dict.fromkeys((PROMOTED, LEFT), TRAINING + TEST))
    with tempfile.TemporaryDirectory(dir=checkout) as drawn:
        world.generate(rule, params.seed, Path(drawn))
        dataset = coco.read(Path(drawn) / "annotations.json")
        for name, images in coco.grouped(dataset, {}).items():
            ids = [image.id for image in images]
            for part, chosen in ((incoming / name, ids[:TRAINING]), (incoming / name / "test", ids[TRAINING:])):
                subset.fill(part, coco.subset(dataset, chosen), Path(drawn) / "images")
    beside(incoming / LEFT / "annotations.json")
    files.write(incoming / QUARANTINED / "annotations.json", "{")
    for name in EXPECTED:
        files.write(incoming / name / "product.yaml", "classes: []\n")
        (incoming / name / "READY").touch()


def beside(path: Path) -> None:
    """Move all boxes of an annotation file to the left of their objects; there are no outlines in it afterwards."""
    dataset = files.read_json(path)
    for annotation in dataset["annotations"]:
        annotation.pop("segmentation", None)
        x, _, width, _ = annotation["bbox"]
        annotation["bbox"][0] = max(0.0, x - BESIDE * width)
    files.write_json(path, dataset)


def await_line(log: Path, word: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + serve.PATIENCE
    while word not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(log.read_text()[-2000:])
        time.sleep(0.2)


def await_states(checkout: Path, started: float) -> dict[str, str]:
    """Wait until all arrivals are dealt with, telling each step."""
    states: dict[str, str] = {}
    while time.monotonic() - started < PATIENCE:
        for of in inbox.read(checkout):
            if states.get(of.name) != of.state:
                states[of.name] = of.state
                print(f"{time.monotonic() - started:.0f} s: {of.name} {of.state} {of.why}", flush=True)
        if len(states) == len(EXPECTED) and not set(states.values()) & set(inbox.OPEN):
            break
        time.sleep(0.5)
    return states


def show(checkout: Path, states: dict[str, str]) -> None:
    """Print the commits, what was put aside and why, and what the promoted product changed."""
    if states != EXPECTED:
        print((checkout / "serve.log").read_text()[-3000:])
        return
    promoted = branch.named(PROMOTED)
    commands = (
        ["git", "log", "--oneline", "--graph", "-8", main_branch.MAIN, branch.named(LEFT)],
        ["cat", *map(str, (checkout / inbox.QUARANTINE).glob("*/reason.json"))],
        ["dvc", "metrics", "diff", f"{promoted}~1", promoted, "--no-path", "--targets", HEADLINE],
    )
    for command in commands:
        print(f"\n$ {' '.join(command)}".replace(f"{checkout}/", ""), flush=True)
        subprocess.run(command, cwd=checkout)


if __name__ == "__main__":
    sys.exit(main())

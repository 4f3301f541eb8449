"""New products: from a folder in data/incoming/ to a commit that says what the product brought.

The folder is the queue (inbox.py). What is claimed is checked, registered on a branch of its own, run through the loop
and decided on by the evidence: promoted onto main, or left on its branch with the reason. Each step can be repeated, so
a run that was killed is picked up by the next.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect import flow
from prefect.events import emit_event

from flows import branch, child, dag, disk, inbox, review
from flows.inbox import Arrival
from flows.reproduce import reproduce
from stages import files, paths, settings
from stages.dataset import arrival, coco
from stages.problem import Problem

EVENT = "product.arrived"
TRIES = 3  # to be promoted, when main moves meanwhile
GATE = Path("reports/metrics/gate.json")
COLLECTORS = ("evidence", "gate", "report")  # they depend on all experiments, and show what has run


@flow(name="arrivals", log_prints=True)
def arrivals(
    checkout: str = ".", slots: int = 2, quiet: float = inbox.QUIET, least_free_gb: float = disk.FLOOR
) -> None:
    """Take what lies in the queue, and go on with what earlier runs left open."""
    where = Path(checkout).resolve()
    disk.check(where, least_free_gb)
    with alone(where) as mine:
        if not mine:
            print("another run is at it; it takes what has come meanwhile")
            return
        inbox.recover(where)
        for folder in inbox.ready(where, quiet):
            inbox.claim(where, folder)
        for of in [one for one in inbox.read(where) if one.state in inbox.OPEN]:
            take(where, of, slots)
    print(table(where))


def take(checkout: Path, of: Arrival, slots: int) -> Arrival:
    """Bring one arrival as far as it goes."""
    for _ in range(TRIES):
        if of.state == "claimed":
            of = checked(checkout, of)
        if of.state == "checked":
            of = built(checkout, of, slots)
        if of.state == "built":
            of = decided(checkout, of)
        if of.state not in inbox.OPEN:
            break
    return of


def checked(checkout: Path, of: Arrival) -> Arrival:
    """Put it aside with the reason, or register it on a branch from main."""
    params = settings.load(checkout / settings.PARAMS)
    known = coco.read(checkout / paths.SOURCE_ANNOTATIONS)
    try:
        dataset = arrival.check(
            checkout / of.folder, known, checkout / paths.SOURCE_IMAGES, params.arrival.least, params.split
        )
    except Problem as problem:
        print(f"{of.name}: put aside: {problem}")
        return inbox.quarantine(checkout, of, str(problem))
    branch.register(checkout, of, dataset)
    return inbox.mark(checkout, of, "checked")


def built(checkout: Path, of: Arrival, slots: int) -> Arrival:
    """Run the loop for the product on its branch, and commit what was measured."""
    worktree = branch.place(checkout, of.name)
    if not worktree.exists():  # thrown away after a decision that has to be taken again
        return inbox.mark(checkout, of, "claimed")
    rule = settings.load(worktree / settings.PARAMS).arrival
    if rule.review_minutes and (judged := verdicts(worktree, rule.targets)):
        reproduce(targets=judged, slots=slots, checkout=str(worktree))
        review.wait(worktree, of.name, rule.review_minutes)
    reproduce(targets=rule.targets, slots=slots, checkout=str(worktree))
    for collector in COLLECTORS:
        child.run(["dvc", "repro", "--single-item", collector], worktree, print, PYTHONPATH=str(worktree))
    branch.measured(worktree, of.name, json.dumps(files.read_json(worktree / GATE), indent=1))
    return inbox.mark(checkout, of, "built")


def verdicts(worktree: Path, targets: list[str]) -> list[str]:
    """The stages among those that targets need in which a person's word counts."""
    return [name for name in dag.needed(dag.read(worktree), targets) if name.startswith("verdicts")]


def decided(checkout: Path, of: Arrival) -> Arrival:
    """Promote it onto main as it is now, or leave it on its branch."""
    worktree = branch.place(checkout, of.name)
    gate = files.read_json(worktree / GATE)
    why = gate["promote_product_why"]
    if not gate["promote_product"]:
        state = "left"
    elif not settings.load(worktree / settings.PARAMS).arrival.merge:
        state, why = "left", f"{why}; arrival.merge is off: merge {branch.named(of.name)} by hand"
    elif not branch.base(checkout, of.name):
        print(f"{of.name}: main has moved; building the branch anew")
        return inbox.mark(checkout, of, "claimed")
    else:
        branch.promote(checkout, of.name)
        state = "promoted"
    branch.discard(checkout, of.name)
    print(f"{of.name}: {state}: {why}")
    return inbox.mark(checkout, of, state, why)


@contextmanager
def alone(checkout: Path) -> Iterator[bool]:
    """Whether this is the only run on arrivals: they are promoted one after the other."""
    path = checkout / "data" / "arrivals.run"
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = True
        except BlockingIOError:
            mine = False
        yield mine


def table(checkout: Path) -> str:
    """All arrivals and their state."""
    rows = [(of.name, of.state, of.when, of.why) for of in inbox.read(checkout)]
    return "\n".join(f"{name:<24} {state:<12} {when}  {why}" for name, state, when, why in rows) or "no arrivals yet"


def retry(checkout: Path, name: str) -> None:
    """Take an arrival that was left through the loop again."""
    for of in inbox.read(checkout):
        if of.name == name and of.state == "left":
            inbox.mark(checkout, of, "claimed")
            return
    raise FileNotFoundError(f"no arrival {name} was left; `python -m flows.arrivals` lists them")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("do", nargs="?", default="list", choices=("list", "scan", "notify", "retry", "unquarantine"))
    parser.add_argument("name", nargs="?", help="of the product, to retry or unquarantine")
    asked = parser.parse_args()
    where = Path.cwd()
    if asked.do in ("retry", "unquarantine"):
        if not asked.name:
            parser.error(f"which product to {asked.do}?")
        try:
            (retry if asked.do == "retry" else inbox.unquarantine)(where, asked.name)
        except FileNotFoundError as missing:
            print(f"tenfold: {missing}", file=sys.stderr)
            return 2
    elif asked.do == "notify":
        emit_event(EVENT, resource={"prefect.resource.id": "tenfold.incoming"})
    elif asked.do == "scan":
        arrivals()
        return 0
    print(table(where))
    return 0


if __name__ == "__main__":
    sys.exit(main())

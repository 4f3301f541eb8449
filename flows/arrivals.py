"""New products: from a folder in data/incoming/ to a commit that says what the product brought.

The folder is the queue (inbox.py). What is claimed is checked, registered on a branch of its own, run through the loop
and decided on by the evidence: promoted onto main, or left on its branch with the reason. Each step can be repeated, so
a run that was killed is picked up by the next.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from prefect import flow

from flows import (
    artifacts,
    branch,
    checkout_lock,
    child,
    dag,
    disk,
    inbox,
    notify,
    operator_commands,
    password,
    product_loop,
    review,
)
from flows.inbox import Arrival
from flows.quiet_checkout import Waits
from stages import paths, settings
from stages.dataset import arrival, coco
from stages.dataset.near_duplicates import Traits
from stages.problem import Problem
from stages.settings import Settings

BY_HAND = ("retry", "review", "unquarantine", "rollback")
TRIES = 3  # to be promoted, when main moves meanwhile


@flow(name="arrivals", log_prints=True, on_failure=[notify.failed], on_crashed=[notify.failed])
def arrivals(
    checkout: str = ".", slots: int = 2, quiet: float = inbox.QUIET, least_free_gb: float = disk.FLOOR
) -> None:
    """Take what lies in the queue, and go on with what earlier runs left open; the others wait for none that fails."""
    where, means = Path(checkout).resolve(), product_loop.Means(slots, least_free_gb)
    disk.check(where, least_free_gb)
    with inbox.alone(where) as mine:
        if not mine:
            print("another run is at it; it takes what has come meanwhile")
            return
        inbox.recover(where)
        discard_ended(where)
        stopped = []
        for folder in inbox.ready(where, quiet):
            try:
                inbox.claim(where, folder)
            except OSError as error:  # it may not be read, or moved
                stopped.append(f"{folder.name} (not taken): {error}")
        stopped += [why for of in inbox.read(where) if of.state in inbox.OPEN and (why := attempt(where, of, means))]
    print(table(where))
    artifacts.arrivals(inbox.read(where))
    if stopped:
        raise RuntimeError("; ".join(stopped))


def discard_ended(checkout: Path) -> None:
    """Remove the worktrees of arrivals that have come to their end, which a killed run may have left."""
    known = inbox.read(checkout)
    going = {of.name for of in known if of.state in inbox.OPEN}
    for name in {of.name for of in known} - going:
        if branch.place(checkout, name).exists():
            try:
                branch.discard(checkout, name)
            except RuntimeError as error:  # what people said in it cannot be committed
                print(f"{name}: its worktree stays: {error}")


def attempt(checkout: Path, of: Arrival, means: product_loop.Means) -> str:
    """Take one arrival on as far as it goes; return what failed, empty if nothing did."""
    try:
        take(checkout, of, means)
    except Waits as waits:  # which says nothing against the arrival
        print(f"{of.name} waits: {waits}")
        inbox.stopped(checkout, of, f"waits: {waits}", tries=0)
    except Exception as error:  # whatever it is, an error of this code, too: the others wait for none that fails
        why = child.one_line(str(error), checkout)
        of = inbox.stopped(checkout, of, why, tries=1)
        told = f"{of.name} ({of.state}, {of.tries} of {inbox.TRIES} tries): {why}"
        print(told)
        return told
    return ""


def take(checkout: Path, of: Arrival, means: product_loop.Means) -> Arrival:
    """Bring one arrival as far as it goes; return it in its new state."""
    for _ in range(TRIES):
        if of.state == "claimed":
            of = checked(checkout, of)
        if of.state == "checked":
            of = built(checkout, of, means)
        if of.state == "built":
            of = decided(checkout, of)
        if of.state not in inbox.OPEN:
            break
    return of


def there(checkout: Path, dataset: settings.Dataset, real: bool) -> tuple[coco.Coco, list[Traits]]:
    """Return the dataset to which a product comes, and the traits of its images; wait where a person has to mend it."""
    try:
        known = arrival.before(checkout / paths.ANNOTATIONS, dataset, real)
        return known, arrival.traits(checkout / paths.SOURCE_IMAGES, known.images)
    except Problem as problem:
        raise Waits(f"the dataset that there is cannot be used ({problem}): `dvc repro health`") from None


def examined(checkout: Path, name: str, folder: Path, params: Settings) -> tuple[coco.Coco, coco.Coco]:
    """Return the dataset to which a product comes, and the product's own in `folder`, which has been checked."""
    known, theirs = there(checkout, params.dataset, arrival.about(folder).real)
    arrival.check_name(name, known, params.dataset.groups)
    return known, arrival.check(folder, known, theirs, params.arrival.least, params.split)


def checked(checkout: Path, of: Arrival) -> Arrival:
    """Put an arrival aside with the reason, or register it on a branch from main; return it in its new state."""
    params = settings.load(checkout / settings.PARAMS)
    with checkout_lock.alone(checkout, wait=False):  # or the dataset may be changing, and DVC's cache be cleared
        try:
            _, dataset = examined(checkout, of.name, checkout / of.folder, params)
        except (Problem, RecursionError) as problem:  # the latter: JSON that is nested too deeply
            print(f"{of.name}: put aside: {problem}")
            return inbox.quarantine(checkout, of, str(problem))
        branch.register(checkout, of, dataset)
    return inbox.mark(checkout, of, "checked")


def built(checkout: Path, of: Arrival, means: product_loop.Means) -> Arrival:
    """Run the loop for an arrived product on its branch, and commit what was measured."""
    worktree = branch.place(checkout, of.name)
    if not worktree.exists():  # thrown away after a decision that has to be taken again
        return inbox.mark(checkout, of, "claimed")
    rule = settings.load(worktree / settings.PARAMS).arrival
    if means.asks and rule.review_minutes and (judged := verdicts(worktree, rule.targets)):
        product_loop.bring(worktree, judged, means)
        review.wait(worktree, of.name, rule.review_minutes)
    branch.measured(worktree, of.name, json.dumps(product_loop.run(worktree, means), indent=1))
    return inbox.mark(checkout, of, "built")


def verdicts(worktree: Path, targets: list[str]) -> list[str]:
    """Return the stages, of those that targets need, in which a person's word counts."""
    return [name for name in dag.needed(dag.read(worktree), targets) if name.startswith("verdicts")]


def decided(checkout: Path, of: Arrival) -> Arrival:
    """Promote an arrived product onto main as it is now, or leave it on its branch with the reason."""
    worktree = branch.place(checkout, of.name)
    gate = product_loop.decided(worktree)
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
    if state == "left":
        branch.hand_over(checkout, of.name)
    print(f"{of.name}: {state}: {why}")
    of = inbox.mark(checkout, of, state, why)  # before that goes from which it is decided: the disk may be full
    branch.discard(checkout, of.name)
    return of


def table(checkout: Path) -> str:
    """Return the table of all arrivals and their state, as text."""
    rows = [(of.name, of.state, of.when, of.why) for of in inbox.read(checkout)]
    return "\n".join(f"{name:<24} {state:<12} {when}  {why}" for name, state, when, why in rows) or "no arrivals yet"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("do", nargs="?", default="list", choices=("list", "scan", "notify", *BY_HAND))
    parser.add_argument("name", nargs="?", help=f"of the product, to {', '.join(BY_HAND)}")
    parser.add_argument("--why", default="asked for by hand", help="for a rollback: goes into the commit and the table")
    asked = parser.parse_args()
    where = Path.cwd()
    if asked.do in BY_HAND and not asked.name:
        parser.error(f"which product to {asked.do}?")
    try:
        if asked.do == "retry":
            operator_commands.retry(where, asked.name)
        elif asked.do == "review":
            operator_commands.look(where, asked.name)
        elif asked.do == "unquarantine":
            inbox.unquarantine(where, asked.name)
        elif asked.do == "rollback":
            operator_commands.rollback(where, asked.name, asked.why)
        elif asked.do == "notify":
            operator_commands.wake()
        elif asked.do == "scan":
            with password.temporary():
                arrivals()
            return 0
        print(table(where))
    except (Problem, Waits) as refused:
        print(f"tenfold: {refused}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

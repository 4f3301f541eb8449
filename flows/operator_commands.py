"""What an operator does about an arrival: try it again, take a product out of main, have the queue looked at now."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
from prefect.events import Event, Resource

from flows import (
    branch,
    checkout_lock,
    current_detectors,
    inbox,
    main_branch,
    product_loop,
    registration,
    review,
    serve,
    server_runs,
)
from flows.repository import commit, git
from stages import paths, settings
from stages.problem import Problem

EVENT, RESOURCE = "product.arrived", "tenfold.incoming"  # what prefect.yaml waits for
AGAIN = ("left", "failed", "rolled back")  # states from which an arrival can be tried again


def wake() -> None:
    """Tell the server that a product has arrived. Nothing is lost where none hears it: the folder is the queue."""
    address = serve.address()
    event = Event(event=EVENT, resource=Resource({"prefect.resource.id": RESOURCE}))
    with heard(address, "nothing is lost: the next scan finds the folder"), server_runs.server(address) as client:
        client.request("POST", "/events", json=[event.model_dump(mode="json")])


@contextlib.contextmanager
def heard(address: str, unheard: str) -> Iterator[None]:
    """Raise a Problem where no server answers; it says what comes of that."""
    try:
        yield
    except (httpx.HTTPError, RuntimeError) as error:
        raise Problem(f"nobody hears it at {address} ({type(error).__name__}); {unheard}") from None


def look(checkout: Path, name: str) -> None:
    """Show a waiting product's candidates in the browser; once that ends, its run goes on."""
    worktree = branch.place(checkout, name)
    if not worktree.exists():
        raise Problem(f"{name} is not being built; `python -m flows.arrivals` lists what is")
    address = serve.address()
    with heard(address, "what was said is kept, and a run that waits goes on when its time is over"):
        review.look(worktree, name, address)


def retry(checkout: Path, name: str) -> None:
    """Note that an arrival is to go through the loop again."""
    mine = [of for of in inbox.read(checkout) if of.name == name]
    again = [of for of in mine if of.state in AGAIN]
    if not again or any(of.state not in (*AGAIN, "quarantined") for of in mine):
        states = ", ".join(of.state for of in mine) or "unknown"
        raise Problem(f"{name} is {states}; only what is {', '.join(AGAIN)} can be tried again")
    newest = max(again, key=lambda of: (of.state != "rolled back", of.when))  # what is taken out gave its name to it
    inbox.mark(checkout, newest, "claimed")


def rollback(checkout: Path, name: str, why: str) -> None:
    """Take a promoted product out of main, by one commit on top of it: history stays.

    Its commits are reverted. Where others stand on them, main without the product is built and measured in a worktree,
    as promotions are. Killed at any point, it can be asked for again.
    """
    why = inbox.readable(why)
    with inbox.alone(checkout) as mine:
        if not mine:
            raise Problem("a run is at work on arrivals; ask again when it has ended")
        of = next((of for of in inbox.read(checkout) if of.name == name and of.state == "promoted"), None)
        if of is None:
            raise Problem(f"{name} is not promoted; `python -m flows.arrivals` lists what is")
        with main_branch.free(checkout):
            pass  # or it would be built in vain
        to = main_branch.MAIN
        try:
            if name in settings.load(checkout / settings.PARAMS).dataset.arrived:  # else it was killed after that
                with checkout_lock.alone(checkout, wait=False):  # or the nightly clean-up may not see the worktree
                    worktree = branch.opened(checkout, name)
                if not reverted(worktree, name, why):
                    rebuilt(worktree, name, why)
                to = git(worktree, "rev-parse", "HEAD")
            main_branch.advance(checkout, to)
        except RuntimeError as error:
            raise Problem(f"{name} is still on main: {error}") from error
        branch.discard(checkout, name)
        for folder in (paths.PRODUCTS, paths.RELEASED):  # their content is in DVC's cache
            shutil.rmtree(checkout / folder / name, ignore_errors=True)
        inbox.mark(checkout, of, "rolled back", why)


def reverted(worktree: Path, name: str, why: str) -> bool:
    """Revert a product's commits, in one; return whether that was possible: not where others have changed the same
    since, nor where the two did not come onto main as they were made."""
    first = branch.entered(worktree, name)
    try:
        after = git(worktree, "rev-list", "--topo-order", "--reverse", "--ancestry-path", f"{first}..HEAD").split()
        made = [first, *after[:1]]
        if git(worktree, "log", "--no-walk=unsorted", "--format=%s", *made) != f"Register {name}\nMeasure {name}":
            return False
        git(worktree, "revert", "--no-commit", *reversed(made))
    except RuntimeError:
        git(worktree, "reset", "--quiet", "--hard")
        return False
    git(worktree, "commit", "--quiet", "-m", f"Roll back {name}\n\n{why}")
    return True


def rebuilt(worktree: Path, name: str, why: str) -> None:
    """Commit main without a product: its settings, and what the loop measures without it."""
    params = worktree / settings.PARAMS
    file = f"{paths.PRODUCTS / name}.dvc"
    left = [other for other in settings.load(params).dataset.arrived if other != name]
    registration.unregister(params, name, before(worktree, name, left))
    kept = current_detectors.refocus(worktree, settings.load(params).products.focus)
    kept += current_detectors.drop(worktree, name)
    git(worktree, "rm", "--quiet", "--", file)
    shutil.rmtree(worktree / paths.PRODUCTS / name, ignore_errors=True)
    gate = json.dumps(product_loop.run(worktree, product_loop.Means()), indent=1)
    message = f"Roll back {name}\n\n{why}\n\n{gate}"
    commit(worktree, message, file, str(settings.PARAMS), "dvc.lock", *kept, *main_branch.REPORTS)


def before(checkout: Path, name: str, left: list[str]) -> str:
    """Return params.yaml as it was before a product came; where what was in focus then has been taken out since, as it
    was before that."""
    at = "HEAD"
    while entered := branch.entered(checkout, name, at):
        at = f"{entered}^"
        name = registration.focus(git(checkout, "show", f"{at}:{settings.PARAMS}"))
        if name in left:
            break
    return git(checkout, "show", f"{at}:{settings.PARAMS}")

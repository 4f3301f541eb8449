"""A detector of your own photographs: a folder in, models/products/<name>/ out, by one command (`make product`).

What an annotation tool exported is turned into an arrival and goes the way of all arrivals, here and now: a branch, the
loop, the gate, and onto main. The same command goes on where a killed one was.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from prefect import flow

from flows import (
    arrivals,
    branch,
    inbox,
    main_branch,
    operator_commands,
    password,
    product_loop,
    registration,
    repository,
    run_progress,
)
from flows.inbox import Arrival
from flows.quiet_checkout import Waits
from stages import command, files, paths, provenance, settings
from stages.dataset import arrival, coco, fixes, health
from stages.dataset.findings import KINDS, inspect
from stages.dataset.formats import convert
from stages.evidence.folds import FOLDS
from stages.judge.train import LONGER
from stages.problem import Problem
from stages.product import card
from stages.schema import ScaledJudge
from stages.settings import Compared, Settings

PIXELS_A_SECOND = 650_000  # that are trained on, on one core (AMD EPYC)
BESIDE = 6  # minutes for all that is no training of a detector


@dataclass(frozen=True)
class Asked:
    """Photographs that were turned into an arrival's folder."""

    name: str
    folder: Path


def main(photographs: str, name: str = "") -> None:
    try:
        bring(photographs, name)
    except Waits as waits:
        raise Problem(str(waits)) from None


def bring(photographs: str, name: str) -> None:
    """Take photographs to a detector; raise Waits where something else has to end or be mended before."""
    began, checkout = time.monotonic(), Path.cwd()
    name = name or coco.folder_group(Path(photographs).resolve().name)
    if not inbox.NAME.fullmatch(name):
        raise Problem(f"{name}: give the product a name of small letters, digits and underscores: NAME=…")
    ready(checkout)
    params = settings.load()
    with tempfile.TemporaryDirectory(prefix="tenfold-") as place, password.temporary():
        asked = turned(Path(photographs), name, Path(place))
        with inbox.alone(checkout) as mine:
            if not mine:
                raise Problem("a run is at work on arrivals; ask again when it has ended")
            inbox.recover(checkout)
            of = there(checkout, asked) or taken(checkout, asked, params)
            if of.state in inbox.OPEN:
                dataset, others = coco.read(asked.folder / "annotations.json"), known_products(checkout, params)
                means = product_loop.Means(asks=False, seconds=trainings(dataset, others, params))
                with run_progress.looked_at():
                    made(checkout, of, means)
                of = entry(checkout, of)
    say(of, time.monotonic() - began)


def ready(checkout: Path) -> None:
    """Raise a Problem, or Waits, where what is made could not be committed in the end."""
    try:
        repository.git(checkout, "var", "GIT_COMMITTER_IDENT")
    except RuntimeError:
        raise Problem("git does not know who you are: `git config --global user.name …`, `… user.email …`") from None
    try:
        main_branch.fit(checkout)
    except RuntimeError as error:
        raise Problem(str(error)) from None


def turned(photographs: Path, name: str, place: Path) -> Asked:
    """Return the photographs as an arrival of a real product, in a folder in `place`."""
    folder = place / name
    print(convert.convert(photographs, folder))
    classes = coco.class_names(coco.read(folder / "annotations.json"))
    about = arrival.About(classes=classes, real=True)
    files.write(folder / "product.yaml", msgspec.json.encode(about))  # YAML of any version: a class called 08 stays one
    return Asked(name, folder)


def there(checkout: Path, asked: Asked) -> Arrival | None:
    """Return what is known of these photographs from an earlier run, to be gone on with; None, where they are new.

    Others of the same name are replaced, unless they are in use: somebody has mended annotations, or has added some.
    """
    content = arrival.content(asked.folder)
    for of in inbox.read(checkout):
        if of.name != asked.name or of.state in inbox.GONE:
            continue
        if of.content == content:
            if of.state == "failed":
                operator_commands.retry(checkout, of.name)
            return entry(checkout, of)
        if of.state == "promoted":
            raise Problem(f"{of.name} is in use already, with other photographs: `python -m flows.arrivals rollback "
                          f"{of.name}` takes it out; or give these another name, NAME=…")  # fmt: skip
        print(f"{of.name} was {of.state}, with other photographs; these take their place")
        inbox.mark(checkout, of, "rolled back", "other photographs took its place")
    return None


def taken(checkout: Path, asked: Asked, params: Settings) -> Arrival:
    """Check new photographs, say what is wrong with them, and take them out of the queue as arrivals are."""
    own = params.dataset.source == "coco" or params.dataset.arrived
    if own and not (checkout / paths.ANNOTATIONS).exists():
        product_loop.bring(checkout, ["health"], product_loop.Means())
    _, dataset = arrivals.examined(checkout, asked.name, asked.folder, params)
    print("\n".join(findings(asked.folder, dataset, params)))
    print(plan(dataset, known_products(checkout, params), params))
    folder = checkout / inbox.INCOMING / asked.name
    if folder.exists() and arrival.content(folder) != arrival.content(asked.folder):  # else a killed run's
        others = f"{inbox.INCOMING / asked.name} waits to be taken, with other photographs"
        raise Problem(f"{others}; remove it, or ask again when it is")
    with files.replacing(folder) as whole_copy:
        shutil.copytree(asked.folder, whole_copy, dirs_exist_ok=True)
    of = inbox.claim(checkout, folder)
    if of is None:
        raise Problem(f"{inbox.INCOMING / asked.name} could not be taken; {inbox.QUARANTINE} says why")
    return of


def findings(folder: Path, dataset: coco.Coco, params: Settings) -> list[str]:
    """Return what the health check finds in a product's photographs, a line for each kind, with what is done."""
    mine = msgspec.structs.replace(params, dataset=msgspec.structs.replace(params.dataset, groups={folder.name: ["*"]}))
    looks = health.look(dataset, folder / "images")
    found = inspect(dataset, looks, health.near_duplicate_images(looks, mine), mine)
    counts = Counter(one.kind for one in found)
    first = {one.kind: one.says for one in reversed(found)}
    lines = [f"  {count} × {KINDS[kind]}: {first[kind]}{', …' * (count > 1)}" for kind, count in counts.items()]
    left = len(dataset.annotations) - len(fixes.once(dataset).annotations)
    return [
        f"health check: {'nothing found' if not lines else ''}",
        *lines,
        *([f"  {left} doubles are left out"] * bool(left)),
    ]


def known_products(checkout: Path, params: Settings) -> list[str]:
    """Return the products beside which a real one comes."""
    return list(coco.grouped(arrival.before(checkout / paths.ANNOTATIONS, params.dataset, True), params.dataset.groups))


def plan(dataset: coco.Coco, others: list[str], params: Settings) -> str:
    """Return in a line what is going to happen, and how long that takes."""
    seconds = trainings(dataset, others, params)
    arms = ", ".join(name.removeprefix("arm@") for name in seconds if name.startswith("arm@"))
    beside = f"beside the known products {', '.join(others)}" if others else \
        "alone: what needs another product is left out, and the judge, which has seen none, is less sure"  # fmt: skip
    minutes = BESIDE + sum(seconds.values()) / 60 / provenance.cores()
    return f"{arms}; {beside}; about {minutes:.0f} minutes on {provenance.cores()} cores"


def trainings(dataset: coco.Coco, others: list[str], params: Settings) -> dict[str, float]:
    """Return about how many seconds of a core each stage's trainings take."""
    tests, scale = any(i.split == "test" for i in dataset.images), settings.raw()["scales"][params.scale]
    if not others:
        registration.look_at(scale, branch.alone(dataset, params.arrival.pixels))
    how, judge = msgspec.convert(scale["evidence"], Compared), msgspec.convert(scale["judge"], ScaledJudge)
    a_pixel = how.steps * how.batch / PIXELS_A_SECOND
    one = a_pixel * area(dataset, how.imgsz, how.crop)
    arms = [target for target in params.arrival.targets if target.startswith("arm@")]
    arms = [arm for arm in arms if others or params.arms[arm.removeprefix("arm@")].start == settings.NONE]
    known = {"known@focus": params.evidence.known_steps * one} if others else {}
    known["judge_detector@focus"] = LONGER * a_pixel * area(dataset, judge.imgsz, judge.crop)
    folds = {f"fold@{number}": 0 if tests else len(arms) * one for number in range(FOLDS)}
    return known | dict.fromkeys(arms, how.seeds * one) | folds


def area(dataset: coco.Coco, imgsz: int, crop: int) -> float:
    """Return how many pixels one picture in training has: of a whole one, or of a square cut out of it."""
    if 0 < crop < imgsz:
        return crop**2
    return imgsz**2 * float(np.median([min(i.width, i.height) / max(i.width, i.height) for i in dataset.images]))


@flow(name="product", log_prints=True)
def made(checkout: Path, of: Arrival, means: product_loop.Means) -> None:
    """Take an arrival on as far as it goes."""
    arrivals.attempt(checkout, of, means)


def entry(checkout: Path, of: Arrival) -> Arrival:
    """Return what the journal says of an arrival now."""
    return next(one for one in inbox.read(checkout) if one.key == of.key)


def say(of: Arrival, seconds: float) -> None:
    """Say how it ended, with what to look at and what to type next."""
    folder = paths.RELEASED / of.name
    if of.state not in ("promoted", "left") or not (folder / card.PAGE).exists():
        raise Problem(
            f"{of.name}: {of.state}: {of.why}; the same command goes on ({run_progress.LOG} has all that was said)"
        )
    logging.getLogger("prefect").setLevel(logging.WARNING)  # else the last line is that its temporary server stops
    print(f"\n{of.name} ({of.state}): {card.headline(card.read(folder))}. {seconds / 60:.0f} minutes")
    print(f"page:    {folder / card.PAGE}")
    print(f"weights: {folder / card.WEIGHTS}, {folder / card.ONNX}")
    print(f"try it:  make detect PHOTOS=my_photographs PRODUCT={of.name}")


if __name__ == "__main__":
    command.run(main, __doc__, photographs="a folder that an annotation tool exported", name="of the product")

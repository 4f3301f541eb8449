"""A product that came with its few photographs alone, examined on these: each by a detector that has not seen it.

The images are dealt to folds before anything is made of them. For each fold the cheap generators are run again on the
other images alone, detectors go on from the known products' one with these, and are tested on the fold. No judge has a
say, because it has seen all of the images. What is trained stays among the checkpoints until all is.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from msgspec import to_builtins

from stages import files, paths
from stages.compose import candidates, classic, paste
from stages.dataset import coco, subset
from stages.detector import model
from stages.evidence import arm, compare, compare_arms, held_out, mix, statistics
from stages.evidence.roles import OLD, roles
from stages.settings import Arm, Settings, named_folder

FOLDS = 5
COMPOSERS = {"paste": paste, "classic": classic}  # the cheap ones


def examine(product: str, params: Settings) -> dict:
    """Arms that go on from the old detector beside it, on all folds together, and the decisions that follow."""
    arms = {name: of for name, of in params.arms.items() if of.product == product}
    arms = {name: of for name, of in arms.items() if (compare_arms.folder(name, of) / "run.json").exists()}
    weights, part = compare_arms.weights(product, arms), roles(arms, params)
    rule = params.evidence
    if OLD not in weights or part.warm is None:
        return {"gate": compare.decisions({}, {}, part, rule.primary, rule.margin)}
    real = paths.SUBSETS / arms[part.warm].subset
    tried = {name: arms[name] for name in (part.warm, part.warm_fakes) if name and possible(arms[name], params)}
    mark = files.fingerprint(
        real, Path(arms[part.warm].known), files.digest(weights[OLD][0]), params.seed, params.now.composed,
        *(to_builtins(of) for of in (tried, params.now.evidence, params.now.detector, rule)),
    )  # fmt: skip
    work = paths.CHECKPOINTS / "folds" / params.scale / mark
    dealt = deal([image.id for image in coco.read(real / "annotations.json", masks=False).images], params.seed)
    seen: dict[str, list] = {name: [] for name in (OLD, *tried)}
    for number, held in enumerate(dealt, 1):
        test, place = held_out.showing(held, params.now.evidence.imgsz), work / str(number)
        seen[OLD] += held_out.sit(test, weights[OLD][0])
        for name, of in tried.items():
            title = f"{name}, fold {number} of {len(dealt)}"
            seen[name] += held_out.sit(test, detector(of, real, held, place, title, params))
    classes = len(coco.read(paths.ANNOTATIONS, masks=False).categories)
    scores = {name: compare.scored([scenes], classes, params) for name, scenes in seen.items()}
    differences = {
        name: {other: asdict(statistics.difference(scores[name], scores[other], params.seed))
               for other in (OLD, part.warm) if other != name}
        for name in tried
    }  # fmt: skip
    kept = compare.known_products(weights, part, product, params, params.now.evidence)
    primary = part.warm_fakes or rule.primary
    gate = compare.decisions(differences, kept, replace(part, baseline=part.warm), primary, rule.margin)
    by = f"; by {len(dealt)} folds of its {sum(map(len, dealt))} training images, having no others"
    shutil.rmtree(work)
    return {
        "group": params.group(product), "images": sum(map(len, dealt)), "folds": len(dealt),
        "arms": {name: facts(of) | {"against": differences.get(name, {})} for name, of in scores.items()},
        "known": kept, "gate": gate | {key: gate[key] + by for key in ("include_fakes_why", "promote_product_why")},
    }  # fmt: skip


def possible(of: Arm, params: Settings) -> bool:
    """Return whether an arm's fakes, if it has any, can be made anew for each fold."""
    return not of.ratio or Path(of.fakes).name in params.arrival.generators


def deal(ids: list[int], seed: int) -> list[list[int]]:
    """Folds of nearly equal size."""
    mixed = np.random.default_rng(seed).permutation(ids).tolist()
    return [sorted(mixed[k::FOLDS]) for k in range(min(FOLDS, len(mixed)))]


def detector(of: Arm, real: Path, held: list[int], place: Path, title: str, params: Settings) -> Path:
    """The weights of an arm's detector that has not seen the images held back, nor anything made of them."""
    name = "fakes" if of.ratio else "standard"
    if (done := place / f"{name}.pt").exists():
        return done
    how = params.now.evidence
    images, made = place / "images", []
    remaining(real, held, images)
    if of.ratio:
        made = [fakes(Path(of.fakes).name, images, place / "fakes", params)]
    batches = min(arm.BATCHES, how.steps)
    parts = arm.parts(images, made, of.ratio, named_folder(of.known), params.evidence)
    mix.write(parts, place / "data" / name, how.imgsz, batches * how.batch, params.seed)
    rule = arm.detector(params, how, of.augment, named_folder(of.start))
    trained = model.train(place / "data" / name, rule, params.seed, paths.CHECKPOINTS, title)
    files.write(done, trained.last.read_bytes())
    model.forget(trained)
    return done


def remaining(real: Path, held: list[int], folder: Path) -> None:
    """A subset without the images held back."""
    dataset = coco.read(real / "annotations.json")
    some = coco.subset(dataset, [image.id for image in dataset.images if image.id not in held])
    with files.replacing(folder) as into:
        subset.fill(into, some, real / "images")


def fakes(composition: str, images: Path, folder: Path, params: Settings) -> Path:
    """Let a cheap composition make its candidates of some images alone; return their folder."""
    asked = params.compositions[composition]
    how = COMPOSERS[asked.how]
    with files.replacing(folder) as into:
        rows = how.rows(composition, asked, images, params.now.composed, params.seed)
        candidates.write(rows, how.make, into, into / "images")
    return folder


def facts(of: statistics.Scores) -> dict[str, float]:
    return dict(zip(("map50_95", "low", "high"), (of.value, *statistics.interval(of.draws[0])), strict=True))

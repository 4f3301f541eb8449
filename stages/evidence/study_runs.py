"""Which detectors a study trains, and what is kept of each: a row, in reports/study_runs/."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from msgspec import to_builtins
from msgspec.json import encode

from stages import code_dependencies, files, paths
from stages.dataset import coco
from stages.dataset import subset as subsets
from stages.settings import NONE, Settings, Subset

FOLDER = paths.REPORTS / "study_runs"
SEEN = ("stages/dataset/yolo_labels.py", "stages/detector/random_view.py")  # labels, and how pictures are turned
FINE = 10_000  # whole numbers of which mAP over drawn images is kept as

Row = dict[str, Any]
Choice = Literal["random", "separated", "crowded"]


@dataclass(frozen=True)
class Run:
    """One detector to train and test."""

    product: str  # its group of images
    arm: str
    choice: Choice  # of the photographs
    count: int  # of these
    draw: int  # of random ones, and the seed of the training

    @property
    def name(self) -> str:
        return f"{self.arm}_{self.choice}_{self.count}_{self.draw}"


def plan(params: Settings, there: dict[str, int], known: bool = True) -> Iterator[Run]:
    """Yield all runs of a study part by part: what compares the arms, draw by draw, then the curve, draw by draw.

    `there`: how many training photographs each product has. Counts that it has not are left out; all are a count, too,
    of arms without fakes, as what the others could reach at most. Without `known` products no arm goes on from these.
    """
    yield from sorted(_planned(params, there, known), key=lambda run: part(run, params))


def part(run: Run, params: Settings) -> int:
    """Return which part of the plan a run belongs to."""
    how = params.now.study
    return run.draw + how.seeds * (run.choice != "random" or run.count in how.counts)


def _planned(params: Settings, there: dict[str, int], known: bool) -> Iterator[Run]:
    study, how = params.study, params.now.study
    arms = [arm for arm in study.arms if known or params.arms[arm].known == NONE]
    for draw in range(how.seeds):
        for product in how.products:
            every = there[product]
            for arm in arms:
                counts = sorted({min(study.at, every), *(c for c in how.counts if c < every and arm in study.curve)})
                if arm in study.curve and not params.arms[arm].ratio:
                    counts.append(every)
                yield from (Run(product, arm, "random", count, draw) for count in dict.fromkeys(counts))
            for choice in study.choices:
                chosen = [arm for arm in study.chosen if arm in arms]
                yield from (Run(product, arm, choice, min(study.at, every), draw) for arm in chosen)


def photographs(params: Settings) -> dict[str, coco.Coco]:
    """Return the training photographs of each product of the study."""
    dataset = _dataset()
    groups, where = coco.grouped(dataset, params.dataset.groups), f"scales.{params.scale}.study.products"
    wanted = subsets.among(params.now.study.products, list(groups), where)
    return {product: _part(product, "train", dataset, params) for product in wanted}


def picked(run: Run, of: coco.Coco) -> coco.Coco:
    """Return the photographs that a run is made of: fewer of the same draw are among more of it."""
    rule = Subset(group=run.product, count=run.count, prefer=run.choice, fewer=False)
    return coco.subset(of, [id_ for id_, _ in subsets.pick(of, rule, run.draw, f"study: {run.product}")])


def mark(run: Run, of: coco.Coco, params: Settings) -> str:
    """Return a word that changes with what a run is made of, how, and what it is tested on; not with comments, nor with
    the trainer's code but for what a training step sees."""
    arm, detector, dataset = params.arms[run.arm], params.now.detector, _dataset()
    facts = [
        run.name, content(picked(run, of)), to_builtins(params.augmentations[arm.augment]), arm.ratio, params.seed,
        _how(params), to_builtins(params.testing),
        detector.model, detector.lr, files.digest(Path(detector.weights)) if detector.weights else None,
        content(_part(run.product, "test", dataset, params)), stations(run.product),
    ]  # fmt: skip
    if params.others(arm) != NONE:
        facts.append(others(run.product, params))
    if arm.known != NONE:
        facts += [params.evidence.known, params.evidence.warm_lr]
    if arm.ratio:
        facts.append(params.evidence.real)
    if made_by := params.composition(arm):
        composed = params.compositions[made_by]
        code = code_dependencies.imported(Path(f"stages/compose/{composed.how}.py"), Path())
        own = [name for name in sorted(code) if name.split("/")[1] in ("compose", "extract")]
        facts += [to_builtins(composed), params.now.composed, [meaning(Path(name)) for name in own]]
    return files.fingerprint(*facts)


def others(product: str, params: Settings) -> str:
    """Return a word that changes with the other products' photographs, and with how their detector is trained."""
    dataset = _dataset()
    names = other_groups(product, dataset, params)
    return files.fingerprint(
        [content(_part(name, "train", dataset, params)) for name in names], _how(params), params.evidence.known_steps,
        params.seed, params.now.detector.model, params.now.detector.lr, to_builtins(params.augmentations["standard"]),
    )  # fmt: skip


def other_groups(product: str, dataset: coco.Coco, params: Settings) -> list[str]:
    """Return the groups of images that are other products'."""
    return subsets.others(coco.grouped(dataset, params.dataset.groups), product, params.products)


def _how(params: Settings) -> dict[str, Any]:
    """Return how every run of a study is trained; how many there are makes none of them another."""
    seen = [meaning(Path(name)) for name in SEEN]
    return to_builtins(params.now.study) | {"seeds": None, "products": None, "counts": None, "seen": seen}


def stations(product: str) -> list[str]:
    """Return what is in a product's photographs at stations that differ, one word a station."""
    found = []
    for folder in sorted((paths.SOURCE / "shifted").glob("*")):
        there = coco.read(folder / "annotations.json")
        found.append(content(coco.subset(there, [i.id for i in there.images if coco.group_of(i, {}) == product])))
    return found


def content(dataset: coco.Coco) -> str:
    """Return a word that changes with any annotation or file name."""
    return hashlib.sha256(encode(dataset)).hexdigest()


@lru_cache(maxsize=1)
def _read(path: Path, changed: int) -> coco.Coco:
    return coco.read(path)


def _dataset() -> coco.Coco:
    return _read(paths.ANNOTATIONS, paths.ANNOTATIONS.stat().st_mtime_ns)


def _part(product: str, part: str, dataset: coco.Coco, params: Settings) -> coco.Coco:
    """Return a product's images in a part of the split."""
    chosen = set(files.read_json(paths.SPLIT)[part])
    images = coco.grouped(dataset, params.dataset.groups).get(product, [])
    return coco.subset(dataset, [image.id for image in images if image.id in chosen])


def meaning(path: Path) -> str:
    """Return a fingerprint of what a module does: its code without comments and docstrings."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
        vars(node).pop("type_params", None)  # which Python 3.12 has, and earlier ones have not
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def read(product: str, scale: str) -> dict[str, Row]:
    """Return the rows that are kept of a product at a scale, by the runs' names."""
    path = FOLDER / scale / f"{product}.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return {row["name"]: row for row in rows}


def keep(product: str, scale: str, rows: dict[str, Row], row: Row) -> None:
    """Add a row to those that are kept of a product, or put it in the place of the one of its name."""
    rows[row["name"]] = row
    lines = [json.dumps(rows[name], separators=(",", ":")) for name in sorted(rows)]
    files.write(FOLDER / scale / f"{product}.jsonl", "\n".join(lines) + "\n")


def row_of(run: Run, facts: Row) -> Row:
    """Return a run and what came of it as a row."""
    return {"name": run.name} | asdict(run) | facts

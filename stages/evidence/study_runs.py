"""Which detectors a study trains, and what is kept of each: a row, in reports/evidence/runs/<product>.jsonl."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from msgspec import to_builtins
from msgspec.json import encode

from stages import code_dependencies, files, paths
from stages.dataset import coco
from stages.dataset import subset as subsets
from stages.settings import NONE, Settings, Subset

FOLDER = paths.REPORTS / "evidence" / "runs"

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


def plan(params: Settings, there: dict[str, int]) -> Iterator[Run]:
    """Yield all runs of a study, the first draw of every product first.

    `there`: how many training photographs each product has. Counts that it has not are left out; all are a count, too,
    of arms without fakes, as what the others could reach at most.
    """
    study, how = params.study, params.now.study
    for draw in range(how.seeds):
        for product in how.products:
            every = there[product]
            for arm in study.arms:
                counts = sorted({min(study.at, every), *(c for c in how.counts if c < every and arm in study.curve)})
                if arm in study.curve and not params.arms[arm].ratio:
                    counts.append(every)
                yield from (Run(product, arm, "random", count, draw) for count in dict.fromkeys(counts))
            for choice in study.choices:
                yield from (Run(product, arm, choice, min(study.at, every), draw) for arm in study.chosen)


def photographs(params: Settings) -> dict[str, coco.Coco]:
    """Return the training photographs of each product of the study."""
    dataset, train = coco.read(paths.ANNOTATIONS), set(files.read_json(paths.SPLIT)["train"])
    groups = coco.grouped(dataset, params.dataset.groups)
    return {
        product: coco.subset(dataset, [image.id for image in groups[product] if image.id in train])
        for product in subsets.among(params.now.study.products, list(groups), f"scales.{params.scale}.study.products")
    }


def picked(run: Run, of: coco.Coco) -> coco.Coco:
    """Return the photographs that a run is made of: fewer of the same draw are among more of it."""
    rule = Subset(group=run.product, count=run.count, prefer=run.choice, fewer=False)
    return coco.subset(of, [id_ for id_, _ in subsets.pick(of, rule, run.draw, f"study: {run.product}")])


def mark(run: Run, of: coco.Coco, params: Settings) -> str:
    """Return a word that changes with what a run is made of and how; not with comments, nor with the trainer's code."""
    arm = params.arms[run.arm]
    made_by = params.composition(arm)
    facts = [
        run.name, json.loads(encode(picked(run, of))), to_builtins(params.augmentations[arm.augment]), arm.ratio,
        to_builtins(params.now.study) | {"seeds": None, "products": None, "counts": None},
        to_builtins(params.now.detector) | {"epochs": None}, params.evidence.real,
    ]  # fmt: skip
    if arm.known != NONE:
        facts += [params.evidence.known, params.evidence.warm_lr, params.evidence.known_steps]
    if made_by:
        composed = params.compositions[made_by]
        code = code_dependencies.imported(Path(f"stages/compose/{composed.how}.py"), Path())
        facts += [to_builtins(composed), params.now.composed, [meaning(Path(name)) for name in sorted(code)]]
    return files.fingerprint(*facts)


def meaning(path: Path) -> str:
    """Return a fingerprint of what a module does: its code without comments and docstrings."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def read(product: str) -> dict[str, Row]:
    """Return the rows that are kept of a product, by the runs' names."""
    path = FOLDER / f"{product}.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return {row["name"]: row for row in rows}


def keep(product: str, rows: dict[str, Row], row: Row) -> None:
    """Add a row to those that are kept of a product, or put it in the place of the one of its name."""
    rows[row["name"]] = row
    lines = [json.dumps(rows[name], separators=(",", ":")) for name in sorted(rows)]
    files.write(FOLDER / f"{product}.jsonl", "\n".join(lines) + "\n")


def row_of(run: Run, facts: Row) -> Row:
    """Return a run and what came of it as a row."""
    return {"name": run.name} | asdict(run) | facts

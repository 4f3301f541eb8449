"""What is noted of a finished training run in its folder: run.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stages import files, provenance
from stages.problem import Problem

FACTS = "run.json"
PACKAGES = ("torch", "numpy", "safetensors", "opencv-python-headless")


def read(folder: Path) -> dict[str, Any]:
    """Return the facts of the run that has left this folder."""
    path = folder / FACTS
    if not path.exists():
        raise Problem(f"{path}: no such file; has this been trained?")
    return files.read_json(path)


def write(folder: Path, name: str, recipe: Any, seed: int, sources: Sequence[Path | str], /, **more: Any) -> None:
    """Note a run: its recipe (a dataclass) and seed, their fingerprint with `sources` (folders, or a fingerprint of
    them), the versions of what it ran with, and more."""
    facts = recipe_facts(recipe)
    files.write_json(folder / FACTS, {
        "name": name,
        "recipe": facts,
        "seed": seed,
        "fingerprint": files.fingerprint(facts, seed, *sources),
        **more,
        "versions": provenance.versions(*PACKAGES),
    })  # fmt: skip


def recipe_facts(recipe: Any) -> dict[str, Any]:
    """Return a recipe (a dataclass) as JSON gives it back: with lists for tuples."""
    return json.loads(json.dumps(asdict(recipe)))

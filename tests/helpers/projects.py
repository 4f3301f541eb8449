"""Folders with a params.yaml at scale smoke and subsets of the bins world, in which stages can be called."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stages import settings
from stages.dataset import coco
from tests.helpers.checkouts import ROOT


def smoke(folder: Path) -> None:
    """Put the project's params.yaml into a folder, at scale smoke."""
    shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
    change(folder, {"scale": "smoke"})


def change(folder: Path, values: dict[str, Any]) -> None:
    """Change params.yaml in a folder: dotted key → value. A new entry of a table is given whole."""
    raw = YAML().load(folder / "params.yaml")
    for key, value in values.items():
        *way, last = key.split(".")
        place = raw
        for part in way:
            place = place[part]
        place[last] = value
    (folder / "params.yaml").write_text(settings.written(raw))


def subset(bins: Path, group: str, count: int, folder: Path) -> None:
    """Write a subset's folder, as the stage `subset` leaves it."""
    dataset = coco.read(bins / "annotations.json")
    chosen = coco.subset(dataset, [i.id for i in dataset.images if coco.group_of(i, {}) == group][:count])
    for image in chosen.images:
        target = folder / "images" / image.file_name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(bins / "images" / image.file_name, target)
    coco.write(folder / "annotations.json", chosen)


def entered(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of a folder to work in, which is the one that a test is in from now on."""
    folder = tmp_path / "project"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)
    return folder

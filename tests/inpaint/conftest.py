"""A project folder at scale smoke in which networks have learnt to fill."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from stages import files, paths
from stages.inpaint import train
from tests.helpers.projects import entered, smoke, subset


@pytest.fixture(scope="session")
def finished(bins, tmp_path_factory) -> Path:
    """A project folder where inpaint_ae_skip and inpaint_ambient are trained."""
    folder = tmp_path_factory.mktemp("inpaint")
    smoke(folder)
    subset(bins, "tube_mint", 10, folder / "data" / "subsets" / "ten")
    subset(bins, "can_cobalt", 6, folder / "data" / "subsets" / "rest")
    shutil.copytree(bins, folder / paths.SOURCE)
    (folder / paths.HEALTH).mkdir()
    shutil.copyfile(bins / "annotations.json", folder / paths.ANNOTATIONS)
    images = files.read_json(bins / "annotations.json")["images"]
    val = [image["id"] for image in images if image["file_name"].startswith(("bottle", "spray", "tube"))][::5]
    files.write_json(folder / paths.SPLIT, {"train": [], "val": val, "test": []})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("inpaint_ae_skip", "inpaint_ambient"):
            train.main(name)
    return folder


@pytest.fixture
def project(finished, tmp_path, monkeypatch) -> Path:
    """A copy of it to work in."""
    return entered(finished, tmp_path, monkeypatch)

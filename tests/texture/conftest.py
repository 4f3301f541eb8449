"""A project folder at scale smoke in which textures are trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.texture import train
from tests.helpers.projects import entered, smoke, subset


@pytest.fixture(scope="session")
def trained(bins, tmp_path_factory) -> Path:
    """A project folder where all textures of params.yaml are trained."""
    folder = tmp_path_factory.mktemp("project")
    smoke(folder)
    subset(bins, "tube_mint", 10, folder / "data" / "subsets" / "ten")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("floor", "label", "fused"):
            train.main(name)
    return folder


@pytest.fixture
def project(trained, tmp_path, monkeypatch) -> Path:
    """A copy of it to work in."""
    return entered(trained, tmp_path, monkeypatch)

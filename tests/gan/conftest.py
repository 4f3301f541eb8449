"""A project folder at scale smoke in which some experiments have run."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.gan import sample, train
from tests.helpers.projects import entered, smoke, subset


@pytest.fixture(scope="session")
def finished(bins, tmp_path_factory) -> Path:
    """A project folder where wgan_ten, wgan_transfer (which continues it) and size_1 are trained and sampled."""
    folder = tmp_path_factory.mktemp("project")
    smoke(folder)
    wanted = {"ten": ("tube_mint", 10), "other_ten": ("bottle_azure", 10), "random_one": ("tube_mint", 1)}
    for name, (group, count) in wanted.items():
        subset(bins, group, count, folder / "data" / "subsets" / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("wgan_ten", "wgan_transfer", "size_1"):
            train.main(name)
            sample.main(name)
    return folder


@pytest.fixture
def project(finished, tmp_path, monkeypatch) -> Path:
    """A copy of it to work in."""
    return entered(finished, tmp_path, monkeypatch)

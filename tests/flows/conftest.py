"""Small pipelines of the real DVC: one of four stages, and one of the loop that an arrival goes through."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest

from tests.helpers import arriving
from tests.helpers.small_pipeline import begun


@pytest.fixture
def pipeline(untouched_pipeline, tmp_path) -> Path:
    """A checkout with four stages: two that take a while, one that needs both, one that needs nothing."""
    return shutil.copytree(untouched_pipeline, tmp_path / "pipeline")


@pytest.fixture(scope="session")
def untouched_pipeline(tmp_path_factory) -> Path:
    return begun(tmp_path_factory.mktemp("untouched") / "pipeline")


@pytest.fixture(scope="session")
def untouched_project(bins, tmp_path_factory) -> Path:
    return arriving.checkout(bins, tmp_path_factory.mktemp("project"))


@pytest.fixture
def project(untouched_project, tmp_path) -> Path:
    """A checkout whose dataset is the bins world without one group, which then arrives."""
    return shutil.copytree(untouched_project, tmp_path / "tenfold", symlinks=True)


@pytest.fixture
def drop(bins, project):
    """Put the group into the queue, or something broken."""
    return partial(arriving.drop, bins, project)

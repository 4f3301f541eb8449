"""A small pipeline of the real DVC."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.checkouts import run

PIPELINE = """stages:
  left: {cmd: "sleep 1 && date +%s%N > left.begun && echo left > left", outs: [left]}
  right: {cmd: "date +%s%N > right.begun && sleep 2 && echo right > right", outs: [right]}
  both: {cmd: cat left right > both, deps: [left, right], outs: [both]}
  alone: {cmd: echo alone > alone, outs: [alone]}
"""


@pytest.fixture
def pipeline(tmp_path) -> Path:
    """A checkout with four stages: two that take a while, one that needs both, one that needs nothing."""
    folder = tmp_path / "pipeline"
    folder.mkdir()
    (folder / "dvc.yaml").write_text(PIPELINE)
    for command in (("git", "init", "-q"), ("dvc", "init", "-q"), ("git", "add", "-A"), ("git", "commit", "-qm", "x")):
        run(folder, *command)
    return folder

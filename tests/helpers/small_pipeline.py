"""A pipeline of four stages, which the real DVC runs."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.checkouts import run

PIPELINE = """stages:
  left: {cmd: "sleep 1 && date +%s%N > left.begun && echo left > left", outs: [left]}
  right: {cmd: "date +%s%N > right.begun && sleep 2 && echo right > right", outs: [right]}
  both: {cmd: cat left right > both, deps: [left, right], outs: [both]}
  alone: {cmd: echo alone > alone, outs: [alone]}
"""


def begun(folder: Path) -> Path:
    """Make the checkout of `pipeline`."""
    folder.mkdir()
    (folder / "dvc.yaml").write_text(PIPELINE)
    for command in (("git", "init", "-q", "-b", "main"), ("dvc", "init", "-q"), ("git", "add", "-A"),
                    ("git", "commit", "-qm", "x")):  # fmt: skip
        run(folder, *command)
    return folder

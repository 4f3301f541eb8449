"""dvc.lock says what DVC would have written, whoever writes it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from dvc.utils.serialize import modify_yaml, parse_yaml

from flows import lock_writer
from tests.helpers.checkouts import ROOT, environment

HEAD = lock_writer.HEAD
PIPELINE = """
stages:
  first:
    cmd: cp {} first.txt
    deps: [{}]
    outs: [first.txt]
  many:
    foreach: [a, b]
    do:
      cmd: cp first.txt ${{item}}.txt
      deps: [first.txt]
      params: [sizes, again]
      outs: ["${{item}}.txt"]
"""
PARAMS = "sizes: &sizes [1, 2e-7, null, yes, 'no', []]\nagain: *sizes\n"
QUICK = """
from dvc.cli import main
from flows import lock_writer
lock_writer.install()
lock_writer.dvc_writes = None  # it is not needed
raise SystemExit(main())
"""
ENTRY = {
    "cmd": "python -m x " + "word " * 30,
    "deps": [{"path": "é: #1", "md5": "0" * 32, "size": 1e-7}],
    "params": None,
}


@pytest.fixture
def committed() -> str:
    return (ROOT / "dvc.lock").read_text()


def by_dvc(tmp_path, text, entries) -> dict:
    path = tmp_path / "dvc.lock"
    path.write_text(text)
    with modify_yaml(path) as data:
        data["stages"].update(entries)
    return parse_yaml(path.read_text(), path)


@pytest.mark.parametrize("name", ["split", "subset@ten", "quite_new"])
def test_an_entry_is_replaced_or_added_as_dvc_does_it(committed, tmp_path, name):
    written = lock_writer.with_entries(committed, {name: ENTRY})
    expected = by_dvc(tmp_path, committed, {name: ENTRY})
    assert parse_yaml(written, "") == expected
    assert list(parse_yaml(written, "")["stages"]) == list(expected["stages"])
    assert lock_writer.with_entries(written, {name: ENTRY}) == written
    changed = set(committed.splitlines()) - set(written.splitlines())
    assert len(changed) < 100  # of the other stages no line is


def test_what_stands_twice_is_written_twice(committed):
    shared = [1]
    written = lock_writer.with_entries(committed, {"split": {"cmd": "x", "params": {"a": shared, "b": shared}}})
    entry = written.split("\n  split:\n")[1].split("\n  subset")[0]
    assert "&" not in entry
    assert parse_yaml(written, "")["stages"]["split"]["params"] == {"a": [1], "b": [1]}


@pytest.mark.parametrize("text", ["", "# a person's\n" + HEAD + "  a:\n    cmd: x\n", *(HEAD + of for of in (
    "  a:\n    cmd: x\nmore: 1\n", "  a: {cmd: x}\n", "  a:\n  b:\n    cmd: x\n",
    "  a:\n    cmd: x\n  a:\n    cmd: y\n",
    "  a:\n    cmd: x", "  a:\n    cmd: &id1 x\n  b:\n    cmd: *id1\n", "    a:\n      cmd: x\n",
))])  # fmt: skip
def test_what_dvc_has_not_written_is_left_to_it(text):
    assert lock_writer.with_entries(text, {"split": ENTRY}) is None


def test_a_whole_run_leaves_the_same(tmp_path):
    """DVC alone and ours leave the same behind: from nothing, after a change, and when nothing is to be done."""
    left = {}
    for name, program in (("own", ["-m", "dvc"]), ("quick", ["-c", QUICK])):
        project = tmp_path / name
        project.mkdir()

        def run(*words, project=project, program=program):
            subprocess.run([sys.executable, *program, *words], cwd=project, env=environment(ROOT), check=True)

        (project / "params.yaml").write_text(PARAMS)
        (project / "README.md").write_text("a")
        (project / "dvc.yaml").write_text(PIPELINE.format("README.md", "README.md"))
        run("init", "--no-scm", "--quiet")
        left[name] = []
        for change in ("a", "b", "b"):
            (project / "README.md").write_text(change)
            run("repro", "--quiet")
            left[name].append(parse_yaml((project / "dvc.lock").read_text(), ""))
    assert left["quick"] == left["own"]
    assert left["own"][0] != left["own"][1]

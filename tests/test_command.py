import errno
import sys
from concurrent.futures.process import BrokenProcessPool

import pytest

from stages import command
from stages.problem import Problem


def outcome(monkeypatch, capsys, error, arguments=()):
    def main():
        if error:
            raise error

    def of(name):
        main()

    monkeypatch.setattr(sys, "argv", ["stage", *arguments])
    try:
        command.run(of if arguments else main, "About this stage.", **({"name": "which"} if arguments else {}))
        code = 0
    except SystemExit as stop:
        code = stop.code
    return code, capsys.readouterr()


def test_a_problem_is_one_line_and_exit_code_2(monkeypatch, capsys):
    code, said = outcome(monkeypatch, capsys, Problem("a.json: image 3: no such file"))
    assert code == 2
    assert said.err == "tenfold: a.json: image 3: no such file\n"


@pytest.mark.parametrize("number", [
    errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EEXIST,
])  # fmt: skip
def test_a_disk_that_cannot_be_written_is_one_line(monkeypatch, capsys, number):
    code, said = outcome(monkeypatch, capsys, OSError(number, "why", "data/yolo"))
    assert code == 2
    assert said.err.count("\n") == 1
    assert "data/yolo" in said.err


def test_what_is_nested_too_deeply_is_one_line(monkeypatch, capsys):
    code, said = outcome(monkeypatch, capsys, RecursionError())
    assert code == 2 and said.err.count("\n") == 1


@pytest.mark.parametrize("error", [BrokenProcessPool("a child process terminated abruptly"), MemoryError()])
def test_what_another_try_may_survive_is_one_line_and_exit_code_1(monkeypatch, capsys, error):
    code, said = outcome(monkeypatch, capsys, error)
    assert code == 1
    assert said.err.count("\n") == 1 and "memory" in said.err


def test_other_errors_are_not_hidden(monkeypatch, capsys):
    with pytest.raises(ZeroDivisionError):
        outcome(monkeypatch, capsys, ZeroDivisionError())


def test_help_and_success(monkeypatch, capsys):
    assert outcome(monkeypatch, capsys, None, ["ten"])[0] == 0
    code, said = outcome(monkeypatch, capsys, None, ["--help"])
    assert code == 0
    assert "About this stage." in said.out


def test_what_has_a_default_is_an_option_of_its_type(monkeypatch, capsys):
    said = []

    def main(folder, steps=1200, part="a.json"):
        said.append((folder, steps, part))

    def start(*arguments):
        monkeypatch.setattr(sys, "argv", ["benchmark", *arguments])
        command.run(main, "About it.", folder="which", steps="of each", part="of it")

    start("here")
    start("here", "--steps", "12", "--part", "b.json")
    assert said == [("here", 1200, "a.json"), ("here", 12, "b.json")]
    with pytest.raises(SystemExit):
        start("here", "--steps", "many")
    assert "invalid int value: 'many'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        start("--help")
    assert "of each (default 1200)" in capsys.readouterr().out

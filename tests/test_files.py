import errno
import multiprocessing
from pathlib import Path

import pytest

from stages import files
from stages.problem import Problem


def test_write_is_whole_or_not_at_all(tmp_path, monkeypatch):
    target = tmp_path / "deep" / "a.txt"
    files.write(target, "old")

    def full(self, data):
        open(self, "wb").write(data[:1])  # noqa: PTH123, SIM115
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        files.write(target, "new")
    assert target.read_text() == "old"
    assert [p.name for p in target.parent.iterdir()] == ["a.txt"]


def test_replacing_keeps_the_old_folder_until_the_new_one_is_whole(tmp_path):
    folder = tmp_path / "out"
    with files.replacing(folder) as part:
        (part / "a").write_text("1")
    with pytest.raises(RuntimeError), files.replacing(folder) as part:
        (part / "b").write_text("2")
        raise RuntimeError
    assert [p.name for p in folder.iterdir()] == ["a"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_replacing_clears_what_a_killed_run_left(tmp_path):
    (tmp_path / f".out{files.PART}dead").mkdir()
    with files.replacing(tmp_path / "out") as part:
        (part / "a").write_text("1")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("name", ["out", "o*", "a**b"])
def test_replacing_leaves_alone_what_another_run_is_at(tmp_path, name):
    with files.replacing(tmp_path / "out") as theirs, files.replacing(tmp_path / name) as mine:
        (mine / "a").write_text("1")
        (theirs / "b").write_text("2")
    assert (tmp_path / name).is_dir() and (tmp_path / "out" / "b").read_text() == "2"


def test_a_volume_is_not_replaced_after_all_the_work(tmp_path):
    with pytest.raises(Problem, match="a volume is mounted there"), files.replacing("/proc"):
        pytest.fail("the work has begun")


def test_replacing_what_a_link_leads_to(tmp_path):
    (tmp_path / "real").mkdir()
    for name in ("real", "nowhere"):
        link = tmp_path / f"to {name}"
        link.symlink_to(tmp_path / name)
        with files.replacing(link) as part:
            (part / "a").write_text("1")
        assert link.is_symlink() and (tmp_path / name / "a").read_text() == "1"


@pytest.mark.parametrize(
    "name", ["../a.png", "a/../../b.png", "/etc/passwd", "", "..\\a.png", "C:\\a.png", "c:a.png", "a\0b"]
)
def test_names_that_leave_their_folder_are_refused(name):
    with pytest.raises(Problem, match="image 7"):
        files.relative_name(name, "image 7")


@pytest.mark.parametrize(
    "name", ["a.png", "a/b.png", "a..b/c.png", "..a/b.png", "a b.png", "é.png", "2024-05-01 10:30.jpg"]
)
def test_plain_names_pass(name):
    assert files.relative_name(name, "image 7") == name


def test_fingerprint_sees_content_and_values_and_not_caches(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a").write_text("1")
    first = files.fingerprint({"x": 1}, tmp_path / "d")
    assert first == files.fingerprint({"x": 1}, tmp_path / "d")
    (tmp_path / "d" / "labels.cache").write_text("ultralytics")
    assert first == files.fingerprint({"x": 1}, tmp_path / "d")
    assert first != files.fingerprint({"x": 2}, tmp_path / "d")
    (tmp_path / "d" / "a").write_text("2")
    assert first != files.fingerprint({"x": 1}, tmp_path / "d")


def _hold(path, ready, done):
    with files.locked(path):
        ready.set()
        done.wait(20)


def test_a_second_process_is_told_who_holds_the_lock(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    ready, done = spawn.Event(), spawn.Event()
    holder = spawn.Process(target=_hold, args=(tmp_path / "lock", ready, done))
    holder.start()
    assert ready.wait(20)
    with pytest.raises(Problem, match=str(holder.pid)), files.locked(tmp_path / "lock"):
        pass
    done.set()
    holder.join()
    with files.locked(tmp_path / "lock"):
        pass

import errno
import json
import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flows import inbox
from stages import files
from stages.problem import Problem


@pytest.fixture
def put(tmp_path):
    """A maker of folders in the queue."""

    def make(name, text="x", *, done=True):
        folder = tmp_path / inbox.INCOMING / name
        files.write(folder / "images" / "a.png", text)
        if done:
            (folder / "READY").touch()
        return folder

    return make


def test_a_folder_is_ready_when_it_says_so_or_lies_still(put, tmp_path):
    assert inbox.ready(tmp_path) == []
    said, still = put("a"), put("b", done=False)
    later = time.time() + 86_400
    os.utime(still / "images" / "a.png", (later, later))  # copied from a machine whose clock is wrong
    assert inbox.ready(tmp_path, quiet=3600) == [said]
    assert inbox.ready(tmp_path, quiet=0) == [said, still]


def test_a_word_that_comes_before_the_photographs_counts_once_they_are_there(put, tmp_path):
    folder = put("spray")
    (folder / "READY").write_text("2\n")
    assert inbox.ready(tmp_path, quiet=3600) == []
    files.write(folder / "images" / "b.png", "y")
    assert inbox.ready(tmp_path, quiet=3600) == [folder]


@pytest.mark.parametrize(("word", "said"), [
    (b"9" * 5000, False), ("²".encode(), False), (b"-1", False), (b"3 files", False), (b"\0", True), (b"1", True),
    (b"\xef\xbb\xbf2", False), (b"\xef\xbb\xbf1\r\n", True), ("2\r\n".encode("utf-16"), False),
    ("1\r\n".encode("utf-16"), True),
])  # fmt: skip
def test_whatever_stands_in_the_word_holds_nobody_up(put, tmp_path, word, said):
    """What is no number says nothing: then a minute without a change does."""
    folder = put("spray")
    (folder / "READY").write_bytes(word)
    assert inbox.ready(tmp_path, quiet=3600) == [folder] * said
    assert inbox.ready(tmp_path, quiet=0) == [folder]


def test_what_cannot_be_taken_is_named_and_holds_nobody_up(put, tmp_path, capsys, monkeypatch):
    files.write(tmp_path / inbox.INCOMING / "spray.zip", "x")
    (tmp_path / inbox.INCOMING / "gone").symlink_to(tmp_path / "nowhere")
    closed, good = put("closed"), put("good")
    said = inbox.said

    def may(folder):  # root may read everything
        if folder == closed:
            raise PermissionError(13, "Permission denied")
        return said(folder)

    monkeypatch.setattr(inbox, "said", may)
    assert inbox.ready(tmp_path, quiet=3600) == [good]
    told = capsys.readouterr().out.splitlines()
    named = [line.partition(" is passed over: ")[0] for line in told]
    assert named == [f"data/incoming/{name}" for name in ("closed", "gone", "spray.zip")]


def test_a_link_is_taken_at_once_wherever_it_leads(tmp_path, monkeypatch):
    (tmp_path / inbox.INCOMING).mkdir(parents=True)
    (tmp_path / inbox.INCOMING / "all").symlink_to("/")
    for looks in ("said", "still"):
        monkeypatch.setattr(inbox, looks, lambda *_: pytest.fail("the whole disk is looked through"))
    assert inbox.claim(tmp_path, *inbox.ready(tmp_path)) is None
    assert {path.name for path in (tmp_path / inbox.QUARANTINE).glob("all/*")} == {"reason.json", "all"}


@pytest.fixture
def deep(put):
    """A folder in the queue that is nested more deeply than Python looks."""
    folder = inner = put("deep", done=False)
    for _ in range(1100):
        inner = inner / "a"
        inner.mkdir()
    yield folder
    subprocess.run(["rm", "-rf", folder.parents[2]], check=True)  # which shutil cannot


def test_a_folder_that_is_nested_too_deeply_holds_nobody_up(put, deep, tmp_path, capsys):
    good = put("good")
    assert inbox.ready(tmp_path, quiet=3600) == [good]
    assert "data/incoming/deep is passed over: its folders are nested too deeply" in capsys.readouterr().out
    (deep / "READY").touch()
    assert inbox.claim(tmp_path, deep) is None and not deep.exists()
    reason = files.read_json(tmp_path / inbox.QUARANTINE / "deep" / "reason.json")
    assert reason["why"] == "its folders are nested too deeply"


def test_an_arrival_is_claimed_once_whoever_asks(put, tmp_path):
    folder = put("spray")
    with ThreadPoolExecutor(8) as pool:
        won = [of for of in pool.map(lambda _: inbox.claim(tmp_path, folder), range(8)) if of]
    assert len(won) == 1
    assert (tmp_path / won[0].folder / "images" / "a.png").exists() and not folder.exists()
    assert [of.state for of in inbox.read(tmp_path)] == ["claimed"]


def test_the_same_content_again_is_no_news(put, tmp_path):
    inbox.claim(tmp_path, put("spray"))
    assert inbox.claim(tmp_path, put("spray")) is None
    assert inbox.ready(tmp_path) == [] and len(inbox.read(tmp_path)) == 1
    assert not (tmp_path / inbox.QUARANTINE).exists()


@pytest.mark.parametrize(("name", "text", "why"), [
    ("spray", "other content", "of this name is there already"), ("Spray!", "x", "the name has to match"),
])  # fmt: skip
def test_what_cannot_be_claimed_is_put_aside_with_its_reason(put, tmp_path, name, text, why):
    inbox.claim(tmp_path, put("spray"))
    assert inbox.claim(tmp_path, put(name, text)) is None
    (reason,) = (tmp_path / inbox.QUARANTINE).glob("*/reason.json")
    assert why in files.read_json(reason)["why"]
    assert (reason.parent / "images" / "a.png").read_text() == text
    assert len(inbox.read(tmp_path)) == 1


def test_nothing_is_deleted_that_is_not_there_already(put, tmp_path):
    of = inbox.claim(tmp_path, put("spray"))
    inbox.quarantine(tmp_path, of, "it is blurred")
    assert inbox.claim(tmp_path, put("spray")).key == of.key  # perhaps the rule has changed
    inbox.mark(tmp_path, of, "promoted")
    shutil.rmtree(tmp_path / inbox.CLAIMED)
    assert inbox.claim(tmp_path, put("spray")) is None
    assert (tmp_path / of.folder / "images" / "a.png").exists()
    assert [(one.name, one.state) for one in inbox.read(tmp_path)] == [("spray", "promoted")]


def test_the_same_under_two_names_is_two_arrivals(put, tmp_path):
    sprey = inbox.claim(tmp_path, put("sprey"))
    inbox.mark(tmp_path, sprey, "promoted")
    spray = inbox.claim(tmp_path, put("spray"))
    assert (tmp_path / spray.folder).exists()
    (tmp_path / inbox.JOURNAL).unlink()
    inbox.recover(tmp_path)
    assert {of.name for of in inbox.read(tmp_path)} == {"sprey", "spray"}


def test_what_is_put_aside_stays_so_while_another_of_its_name_waits(put, tmp_path):
    of = inbox.claim(tmp_path, put("spray"))
    inbox.quarantine(tmp_path, of, "it is blurred")
    waiting = put("spray", "mended")
    with pytest.raises(Problem, match="data/incoming/spray waits to be taken"):
        inbox.unquarantine(tmp_path, "spray")
    assert [one.state for one in inbox.read(tmp_path)] == ["quarantined"]
    assert (tmp_path / inbox.QUARANTINE / "spray" / "reason.json").exists()
    assert (waiting / "images" / "a.png").read_text() == "mended"


def test_a_link_is_put_aside_each_time_and_what_it_leads_to_is_left_alone(put, tmp_path):
    elsewhere = put("spray").rename(tmp_path / "elsewhere")
    for _ in range(2):
        (tmp_path / inbox.INCOMING / "spray").symlink_to(elsewhere)
        assert inbox.claim(tmp_path, *inbox.ready(tmp_path)) is None
    reasons = sorted((tmp_path / inbox.QUARANTINE).glob("*/reason.json"))
    assert [files.read_json(path)["why"][:6] for path in reasons] == ["a link", "a link"]
    assert sorted(path.name for path in elsewhere.iterdir()) == ["READY", "images"]


def test_a_name_that_is_not_utf8_is_put_aside(tmp_path):
    folder = tmp_path / inbox.INCOMING / os.fsdecode(b"caf\xe9")
    folder.mkdir(parents=True)
    assert inbox.claim(tmp_path, folder) is None
    assert files.read_json(tmp_path / inbox.QUARANTINE / "unnamed" / "reason.json")["name"] == "caf\ufffd"


def test_words_and_names_that_are_not_utf8_are_noted_as_far_as_they_can_be_read(put, tmp_path, capsys):
    broken = os.fsdecode(b"zu gro\xdf")
    assert inbox.readable("\ud800, größer 🙂") == "\ufffd, größer 🙂"
    of = inbox.mark(tmp_path, inbox.claim(tmp_path, put("spray")), "promoted", broken)
    assert of.why == inbox.stopped(tmp_path, of, broken, tries=0).why == "zu gro\ufffd"
    assert [one.why for one in inbox.read(tmp_path)] == ["zu gro\ufffd"]
    files.write(tmp_path / inbox.INCOMING / broken, "x")
    assert inbox.ready(tmp_path) == []
    assert "data/incoming/zu gro\ufffd is passed over" in capsys.readouterr().out


def test_a_folder_called_as_the_reason_is_moves_out_of_its_way(put, tmp_path):
    theirs = put("spray") / "reason.json" / "why.txt"
    files.write(theirs, "mine")
    of = inbox.claim(tmp_path, *inbox.ready(tmp_path))
    inbox.quarantine(tmp_path, of, "it is blurred")
    aside = tmp_path / inbox.QUARANTINE / "spray"
    assert files.read_json(aside / "reason.json")["why"] == "it is blurred"
    assert [path.read_text() for path in aside.glob("reason.json.*/why.txt")] == ["mine"]


@pytest.mark.parametrize("spoil", [
    lambda path: path.write_text("{"), lambda path: path.write_text("[]"), lambda path: path.write_bytes(b"\xff"),
    lambda path: path.unlink(),
])  # fmt: skip
def test_it_comes_back_whatever_has_become_of_the_reason(put, tmp_path, spoil):
    inbox.quarantine(tmp_path, inbox.claim(tmp_path, put("spray")), "it is blurred")
    spoil(tmp_path / inbox.QUARANTINE / "spray" / "reason.json")
    inbox.unquarantine(tmp_path, "spray")
    assert [path.name for path in inbox.ready(tmp_path, quiet=3600)] == ["spray"]


def test_what_comes_back_is_what_was_put_aside_last(put, tmp_path):
    for text in ("first", "second"):
        inbox.quarantine(tmp_path, inbox.claim(tmp_path, put("spray", text)), "it is blurred")
        time.sleep(0.02)
    inbox.unquarantine(tmp_path, "spray")
    assert (tmp_path / inbox.INCOMING / "spray" / "images" / "a.png").read_text() == "second"


def test_the_queue_may_be_on_another_disk(put, tmp_path, monkeypatch):
    def in_queue(path):
        return (tmp_path / inbox.INCOMING) in Path(path).parents

    def on_disks(rename):
        def checked(source, target, **how):
            if in_queue(source) != in_queue(target):
                raise OSError(errno.EXDEV, "Invalid cross-device link")
            return rename(source, target, **how)

        return checked

    monkeypatch.setattr(os, "rename", on_disks(os.rename))
    of = inbox.claim(tmp_path, put("spray"))
    assert of and [path.name for path in (tmp_path / inbox.CLAIMED).iterdir()] == [of.key]
    assert (tmp_path / of.folder / "images" / "a.png").read_text() == "x"
    inbox.quarantine(tmp_path, of, "it is blurred")
    inbox.unquarantine(tmp_path, "spray")
    assert inbox.claim(tmp_path, *inbox.ready(tmp_path)).content == of.content
    refused = [put("Spray!"), tmp_path / inbox.INCOMING / "link"]
    refused[1].symlink_to(tmp_path)
    assert [inbox.claim(tmp_path, folder) for folder in refused] == [None, None]
    assert sorted(path.name for path in (tmp_path / inbox.QUARANTINE).iterdir()) == ["link", "unnamed"]
    assert (tmp_path / inbox.QUARANTINE / "link" / "link").readlink() == tmp_path
    assert not list((tmp_path / inbox.INCOMING).iterdir())


def test_the_word_is_not_written_to_where_a_link_leads(put, tmp_path):
    folder = put("spray")
    (folder / "READY").unlink()
    (folder / "READY").symlink_to(tmp_path / "elsewhere")
    inbox.quarantine(tmp_path, inbox.claim(tmp_path, folder), "a link")
    inbox.unquarantine(tmp_path, "spray")
    assert not (tmp_path / "elsewhere").exists() and inbox.ready(tmp_path, quiet=3600)


ENTRY = {"name": "spray", "content": "abc", "state": "claimed", "when": "now"}


@pytest.mark.parametrize("text", [
    "", "[]", '{"a": {"name": "spray"}}', "[" * 100_000,
    *(json.dumps({"a": ENTRY | wrong}) for wrong in (
        {"name": "../../out"}, {"name": None}, {"state": "gone"}, {"tries": "x"}, {"content": "a/../b"}, {"why": []},
    )),
])  # fmt: skip
def test_a_journal_that_cannot_be_read_is_said_in_a_line(tmp_path, text):
    files.write(tmp_path / inbox.JOURNAL, text)
    with pytest.raises(Problem, match=r"arrivals\.json cannot be read"):
        inbox.recover(tmp_path)
    assert (tmp_path / inbox.JOURNAL).read_text() == text


def test_quarantine_and_back(put, tmp_path):
    of = inbox.claim(tmp_path, put("spray"))
    inbox.quarantine(tmp_path, of, "it is blurred")
    (entry,) = inbox.read(tmp_path)
    assert (entry.state, entry.why) == ("quarantined", "it is blurred")
    assert files.read_json(tmp_path / inbox.QUARANTINE / "spray" / "reason.json")["why"] == "it is blurred"
    inbox.unquarantine(tmp_path, "spray")
    assert inbox.read(tmp_path) == []
    again = inbox.claim(tmp_path, *inbox.ready(tmp_path))
    assert again and again.content == of.content
    with pytest.raises(Problem, match="there is no other"):
        inbox.unquarantine(tmp_path, "other")


def test_a_claim_that_was_not_noted_before_a_kill_is_found(put, tmp_path):
    of = inbox.claim(tmp_path, put("spray"))
    (tmp_path / inbox.JOURNAL).unlink()
    inbox.recover(tmp_path)
    assert [(e.name, e.content, e.state) for e in inbox.read(tmp_path)] == [("spray", of.content, "claimed")]


def test_without_the_journal_what_is_on_main_was_promoted(put, tmp_path):
    inbox.mark(tmp_path, inbox.claim(tmp_path, put("spray")), "promoted")
    (tmp_path / inbox.JOURNAL).unlink()
    files.write(tmp_path / "data" / "products" / "spray.dvc", "outs: []")
    (tmp_path / inbox.CLAIMED / "somebody's own").mkdir()
    inbox.recover(tmp_path)
    assert [(of.name, of.state) for of in inbox.read(tmp_path)] == [("spray", "promoted")]


def test_a_try_is_counted_where_it_is_the_arrival_s_own_and_a_step_forward_begins_anew(put, tmp_path):
    of = inbox.claim(tmp_path, put("spray"))
    for _ in range(5):
        assert inbox.stopped(tmp_path, of, "somebody is at work", tries=0).state == "claimed"
    assert inbox.stopped(tmp_path, of, "it fails", tries=1).state == "claimed"
    assert inbox.mark(tmp_path, of, "checked").tries == 0
    said = [inbox.stopped(tmp_path, of, "it fails", tries=1) for _ in range(inbox.TRIES)]
    assert [(one.state, one.tries) for one in said] == [("checked", 1), ("checked", 2), ("failed", 3)]


def test_what_was_rolled_back_may_come_again_and_so_may_others_of_its_name(put, tmp_path):
    of = inbox.claim(tmp_path, put("spray"))
    inbox.mark(tmp_path, of, "rolled back")
    assert inbox.claim(tmp_path, put("spray")).content == of.content
    assert (tmp_path / of.folder / "images" / "a.png").exists()
    inbox.mark(tmp_path, of, "rolled back")
    other = inbox.claim(tmp_path, put("spray", "other content"))
    assert [one.state for one in inbox.read(tmp_path)] == ["rolled back", "claimed"]
    assert inbox.claim(tmp_path, put("spray")) is None  # the other is there now
    assert [one.content for one in inbox.read(tmp_path)] == [of.content, other.content]

"""Main moves in the checkout of somebody who may be at work there, with the real git and DVC."""

import shutil
import subprocess

import pytest

from flows import checkout_lock, killed_move, main_branch, quiet_checkout
from flows.repository import git
from stages import files, paths
from tests.helpers.checkouts import becomes, environment, run
from tests.helpers.small_pipeline import begun

WHOLE = "echo\n" * 1000
SPRAY = paths.PRODUCTS / "spray"


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """A checkout on main, with a file that DVC keeps, and a branch `next` that has more."""
    folder = begun(tmp_path_factory.mktemp("ahead") / "pipeline")
    for branch, photographs, words in (("main", "as they came\n", "old\n"), ("next", "taken anew\n", WHOLE)):
        (folder / "photographs").write_text(photographs)
        (folder / "words").write_text(words)
        run(folder, "dvc", "add", "-q", "photographs")
        run(folder, "git", "checkout", "-qB", branch)
        run(folder, "git", "add", "-A")
        run(folder, "git", "commit", "-qm", branch)
        (folder / "more").write_text("more\n")
    run(folder, "git", "checkout", "-q", "main")
    run(folder, "dvc", "checkout", "-q", "photographs.dvc")
    return folder


@pytest.fixture
def ahead(origin, tmp_path):
    """A copy of it to work in."""
    return shutil.copytree(origin, tmp_path / "pipeline", symlinks=True)


def arrived(checkout):
    assert git(checkout, "rev-parse", "main") == git(checkout, "rev-parse", "next")
    assert not git(checkout, "status", "--porcelain", "--untracked-files=no")
    assert (checkout / "photographs").read_text() == "taken anew\n"
    assert (checkout / "words").read_text() == WHOLE and (checkout / "more").exists()
    assert not (checkout / killed_move.GOAL).exists()


def refused(checkout, why):
    before = git(checkout, "rev-parse", "main")
    with pytest.raises(quiet_checkout.Waits, match=why):
        main_branch.advance(checkout, "next", "before")
    assert git(checkout, "rev-parse", "main") == before


def test_main_moves_in_the_checkout_too_and_a_tag_says_where_it_was(ahead):
    before = git(ahead, "rev-parse", "main")
    main_branch.advance(ahead, "next", "before")
    arrived(ahead)
    main_branch.advance(ahead, "next", "before")
    assert git(ahead, "rev-parse", "before") == before


def test_a_tag_may_be_called_as_it_is(ahead):
    before = git(ahead, "rev-parse", "main")
    run(ahead, "git", "tag", "main", "next")
    main_branch.advance(ahead, "next", "before")
    arrived(ahead)
    assert git(ahead, "rev-parse", "before") == before
    assert git(ahead, "rev-parse", "refs/heads/main") == git(ahead, "rev-parse", "next")


def test_it_waits_for_flows_and_for_stages_that_anybody_runs(ahead):
    with checkout_lock.alone(ahead):
        refused(ahead, "process [0-9]+ is at work")
        assert not git(ahead, "tag")  # what the last one kept is still kept
    stage = subprocess.Popen(["dvc", "repro", "-q", "-s", "right"], cwd=ahead, env=environment(ahead))
    assert becomes((ahead / "right.begun").exists, 60)
    assert not git(ahead, "status", "--porcelain", "--untracked-files=no")  # git sees nothing of it
    refused(ahead, "stages run|DVC is at work")
    assert stage.wait(60) == 0


def test_changes_in_what_dvc_keeps_are_a_person_s_too(ahead):
    (ahead / "photographs").unlink()
    (ahead / "photographs").write_text("mended by hand\n")
    refused(ahead, r"what DVC keeps \(photographs, …\)")
    assert (ahead / "photographs").read_text() == "mended by hand\n"
    (ahead / "photographs").unlink()  # nothing to lose
    main_branch.advance(ahead, "next")
    arrived(ahead)


def test_a_file_that_git_does_not_know_is_not_overwritten(ahead):
    (ahead / "more").write_text("mine\n")
    refused(ahead, "would be overwritten by merge: more")
    assert (ahead / "more").read_text() == "mine\n" and not (ahead / killed_move.GOAL).exists()


@pytest.fixture
def with_spray(ahead):
    """`ahead`, where `next` has a product, too."""
    run(ahead, "git", "checkout", "-q", "next")
    files.write(ahead / SPRAY / "a.png", "a photograph\n")
    run(ahead, "dvc", "add", "-q", str(SPRAY))
    run(ahead, "git", "add", "-A")
    run(ahead, "git", "commit", "-qm", "spray")
    run(ahead, "git", "checkout", "-q", "main")
    shutil.rmtree(ahead / SPRAY)
    return ahead


def test_a_product_whose_photographs_are_lost_does_not_come_onto_main(with_spray):
    run(with_spray, "dvc", "gc", "-q", "-w", "-f")
    before = git(with_spray, "rev-parse", "main")
    with pytest.raises(RuntimeError, match="data/products/spray is not whole in DVC's cache"):
        main_branch.advance(with_spray, "next")
    assert git(with_spray, "rev-parse", "main") == before


def test_a_person_s_files_where_a_product_is_to_be_are_not_lost(with_spray):
    files.write(with_spray / SPRAY / "a.png", "a photograph\n")  # as DVC keeps it
    files.write(with_spray / SPRAY / "notes.txt", "mine\n")
    refused(with_spray, r"data/products/spray/notes\.txt is in the way")
    assert (with_spray / SPRAY / "notes.txt").read_text() == "mine\n"
    (with_spray / SPRAY / "notes.txt").unlink()
    main_branch.advance(with_spray, "next")
    arrived(with_spray)


def killed(checkout, **half):
    """As git leaves it that was killed between two files."""
    killed_move.begin(checkout, git(checkout, "rev-parse", "next"))
    (checkout / ".git" / "index.lock").write_text("half")
    for name, text in half.items():
        (checkout / name).write_text(text)


@pytest.mark.parametrize("half", [{}, {"more": "more\n", "words": WHOLE[:100]}, {"more": ""}])
def test_what_a_killed_move_left_is_nobody_s_change(ahead, half):
    killed(ahead, **half)
    main_branch.advance(ahead, "next")
    arrived(ahead)


def test_lines_that_git_ends_in_another_way_are_nobody_s_change(ahead):
    run(ahead, "git", "config", "core.autocrlf", "true")
    killed(ahead)
    (ahead / "words").write_bytes(WHOLE[:100].replace("\n", "\r\n").encode())
    main_branch.advance(ahead, "next")
    arrived(ahead)


def test_a_move_that_was_killed_before_dvc_s_turn_is_ended(ahead):
    killed_move.begin(ahead, git(ahead, "rev-parse", "next"))
    git(ahead, "merge", "--quiet", "--ff-only", "next")
    with checkout_lock.alone(ahead):
        pass
    arrived(ahead)


def test_what_a_full_disk_left_half_moved_is_taken_back_when_there_is_room(ahead, monkeypatch):
    def full(checkout, *arguments):
        if arguments[0] == "merge":  # as git leaves it: one file whole, the next begun
            (checkout / "more").write_text("more\n")
            (checkout / "words").write_text(WHOLE[:100])
            raise RuntimeError("error: unable to write file words")
        return git(checkout, *arguments)

    monkeypatch.setattr(main_branch, "git", full)
    refused(ahead, "unable to write file words")
    monkeypatch.undo()
    main_branch.advance(ahead, "next")
    arrived(ahead)


def test_a_note_of_a_move_that_is_empty_is_dropped(ahead, capsys):
    (ahead / killed_move.GOAL).write_text("")
    main_branch.advance(ahead, "next")
    arrived(ahead)
    assert "dropped tenfold-goal, which names no commit" in capsys.readouterr().out


def test_a_person_s_changes_outlive_a_killed_move(ahead):
    killed(ahead, more="more\n", words="mine\n")
    refused(ahead, r"changes of its own \(M words")
    assert (ahead / "words").read_text() == "mine\n" and not (ahead / "more").exists()


def test_what_stages_wrote_is_committed_if_it_is_main_s(ahead, capsys):
    (ahead / "dvc.lock").write_text("schema: '2.0'\n")
    files.write(ahead / "reports" / "metrics" / "gate.json", "{}")
    files.write(ahead / "reports" / "mine.md", "mine")
    run(ahead, "git", "add", "reports/mine.md")
    (ahead / "words").write_text("mine\n")
    main_branch.keep(ahead)
    assert "words has changes" in capsys.readouterr().out
    run(ahead, "git", "checkout", "-q", "words")
    main_branch.keep(ahead)
    assert git(ahead, "log", "-1", "--format=%s") == "Bring results up to date"
    assert git(ahead, "show", "--name-only", "--format=").splitlines() == ["dvc.lock", "reports/metrics/gate.json"]
    run(ahead, "git", "checkout", "-q", "--detach")
    (ahead / "dvc.lock").write_text("")
    main_branch.keep(ahead)
    assert "not on main" in capsys.readouterr().out and git(ahead, "diff", "--name-only") == "dvc.lock"

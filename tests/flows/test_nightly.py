import shutil
import sqlite3

import pytest

from flows import disk, main_branch, nightly
from flows.repository import git
from stages import files, settings
from tests.helpers.checkouts import ROOT, flow, run

NIGHT = "from flows.nightly import nightly; nightly(least_free_gb=0)"


def test_results_that_no_setting_names_are_forgotten(tmp_path, params):
    for path in ("data/candidates/paste/a.png", "data/candidates/old/a.png", "data/verdicts/paste.csv",
                 "data/verdicts/old.csv", "data/verdicts/old.json", "data/reviews/old.csv",
                 "data/verdicts/.gitignore", "models/texture/floor/run.json",
                 "models/inpaint/floor/run.json"):  # fmt: skip
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    found = {str(path.relative_to(tmp_path)) for path in nightly.forgotten(tmp_path, params)}
    assert found == {  # what people said stays
        "data/candidates/old", "data/verdicts/old.csv", "data/verdicts/old.json", "models/inpaint/floor",
    }  # fmt: skip


def test_the_cache_of_an_open_worktree_is_kept(pipeline, tmp_path):
    run(pipeline, "git", "worktree", "add", "-q", str(tmp_path / "other"))
    assert nightly.worktrees(pipeline) == [tmp_path / "other"]
    assert nightly.worktrees(tmp_path / "other") == [pipeline]


@pytest.mark.parametrize("how", ["stash", "detached"])
def test_what_is_stashed_or_on_no_branch_outlives_the_night(pipeline, how):
    run(pipeline, "dvc", "repro", "-q", "-s", "alone")
    run(pipeline, "git", "add", "-A")
    if how == "stash":
        run(pipeline, "git", "stash", "-q")
        trained = git(pipeline, "rev-parse", "stash@{0}")
    else:
        run(pipeline, "git", "checkout", "-q", "--detach")
        run(pipeline, "git", "commit", "-qm", "trained")
        trained = git(pipeline, "rev-parse", "HEAD")
        run(pipeline, "git", "checkout", "-q", "main")
    (pipeline / "alone").unlink()
    nightly.collect(pipeline)
    run(pipeline, "git", "checkout", "-q", trained, "--", "dvc.lock")
    run(pipeline, "dvc", "checkout", "-q", "alone")
    assert (pipeline / "alone").read_text() == "alone\n"
    assert not git(pipeline, "tag")
    run(pipeline, "git", "reset", "-q", "--hard")
    run(pipeline, "git", "reflog", "expire", "--expire=now", "--all")
    (pipeline / "alone").unlink()
    nightly.collect(pipeline)
    assert not [path for path in (pipeline / ".dvc" / "cache").rglob("*") if path.is_file()]


def test_a_commit_that_dvc_cannot_read_keeps_nothing_and_stops_nothing(pipeline):
    (pipeline / "dvc.yaml").write_text("stages: [")
    run(pipeline, "git", "commit", "-qam", "Broken")
    run(pipeline, "git", "reset", "-q", "--hard", "HEAD^")
    nightly.collect(pipeline)


def test_results_are_forgotten_only_by_main_s_own_settings(pipeline):
    shutil.copyfile(ROOT / settings.PARAMS, pipeline / settings.PARAMS)
    run(pipeline, "git", "add", settings.PARAMS)
    run(pipeline, "git", "commit", "-qm", "Settings")
    model = pipeline / "models" / "texture" / "mine" / "run.json"
    files.write(model, "{}")
    (pipeline / settings.PARAMS).write_text((pipeline / settings.PARAMS).read_text() + "# mine\n")
    nightly.forget(pipeline)
    run(pipeline, "git", "checkout", "-q", "-b", "other")
    run(pipeline, "git", "checkout", "-q", settings.PARAMS)
    nightly.forget(pipeline)
    assert model.exists()
    run(pipeline, "git", "checkout", "-q", "main")
    nightly.forget(pipeline)
    assert not model.exists()


def test_a_database_in_use_is_copied_whole_and_old_copies_go(tmp_path):
    with sqlite3.connect(tmp_path / "prefect.db") as live:
        live.execute("create table runs (id)")
        live.execute("insert into runs values (7)")
    folder = tmp_path / "backups"
    folder.mkdir()
    for day in range(10):
        (folder / f"prefect-202601{day:02}-000000.db").touch()
    target = nightly.back_up.fn(tmp_path / "prefect.db", folder)
    assert sqlite3.connect(target).execute("select id from runs").fetchall() == [(7,)]
    assert len(list(folder.iterdir())) == nightly.KEPT
    assert nightly.back_up.fn(tmp_path / "none.db", folder) is None


def test_a_night_leaves_a_checkout_in_which_main_can_move(pipeline, server):
    shutil.copyfile(ROOT / settings.PARAMS, pipeline / settings.PARAMS)
    run(pipeline, "git", "add", settings.PARAMS)
    run(pipeline, "git", "commit", "-qm", "Settings")
    said = flow(pipeline, server, "from flows.nightly import nightly; nightly(least_free_gb=0)").communicate(
        timeout=180
    )
    assert git(pipeline, "log", "-1", "--format=%s") == "Bring results up to date", said
    main_branch.fit(pipeline)
    assert "up to date" in run(pipeline, "dvc", "status").stdout


def test_nothing_begins_on_a_full_disk(pipeline, server):
    with pytest.raises(RuntimeError, match="GB free, 1e\\+09 are wanted"):
        disk.check(pipeline, 1e9)
    code = "from flows.nightly import nightly; nightly(least_free_gb=1e9)"
    said = flow(pipeline, server, code).communicate(timeout=120)[0]
    assert "are wanted before a run begins" in said
    assert not (pipeline / "both").exists()

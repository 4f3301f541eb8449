import shutil
import sqlite3
import subprocess

import pytest

from flows import disk, main_branch, nightly
from flows.repository import git
from stages import files, paths, settings
from tests.helpers.checkouts import ROOT, becomes, environment, flow, run

NIGHT = "from flows.nightly import nightly; nightly(least_free_gb={})"


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


def has_settings(pipeline):
    shutil.copyfile(ROOT / settings.PARAMS, pipeline / settings.PARAMS)
    run(pipeline, "git", "add", settings.PARAMS)
    run(pipeline, "git", "commit", "-qm", "Settings")


def test_results_are_forgotten_only_by_main_s_own_settings(pipeline):
    has_settings(pipeline)
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


def test_of_a_link_to_a_folder_the_link_is_forgotten(pipeline, tmp_path):
    has_settings(pipeline)
    files.write(tmp_path / "elsewhere" / "run.json", "{}")
    (pipeline / paths.GANS).mkdir(parents=True)
    (pipeline / paths.GANS / "mine").symlink_to(tmp_path / "elsewhere")
    nightly.forget(pipeline)
    assert not (pipeline / paths.GANS / "mine").is_symlink() and (tmp_path / "elsewhere" / "run.json").exists()


def test_what_a_person_s_stage_is_writing_is_not_committed(pipeline, capsys):
    text = (pipeline / "dvc.yaml").read_text()
    (pipeline / "dvc.yaml").write_text(text.replace("sleep 2", "until [ -e go ]; do sleep 0.2; done"))
    run(pipeline, "git", "commit", "-qam", "Take long")
    stage = subprocess.Popen(["dvc", "repro", "-q", "-s", "right"], cwd=pipeline, env=environment(pipeline))
    assert becomes((pipeline / "right.begun").exists, 60)
    files.write(pipeline / "reports" / "metrics" / "half.json", "{}")
    nightly.keep(pipeline)
    assert "what was made is not committed: " in capsys.readouterr().out
    assert git(pipeline, "log", "-1", "--format=%s") == "Take long"
    (pipeline / "go").touch()
    assert stage.wait(60) == 0
    nightly.keep(pipeline)
    assert git(pipeline, "log", "-1", "--format=%s") == "Bring results up to date"


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
    for path in folder.iterdir():
        path.rename(path.with_name(path.name.replace("-20", "-99")))  # before the clock was set back
    assert nightly.back_up.fn(tmp_path / "prefect.db", folder).exists()
    assert len(list(folder.iterdir())) == nightly.KEPT


def test_a_night_leaves_a_checkout_in_which_main_can_move(pipeline, server):
    has_settings(pipeline)
    said = flow(pipeline, server, NIGHT.format(0)).communicate(timeout=180)
    assert git(pipeline, "log", "-1", "--format=%s") == "Bring results up to date", said
    main_branch.fit(pipeline)
    assert "up to date" in run(pipeline, "dvc", "status").stdout


def test_nothing_begins_on_a_full_disk_but_what_makes_room(pipeline, server):
    has_settings(pipeline)
    files.write(pipeline / paths.GANS / "mine" / "run.json", "{}")
    with pytest.raises(RuntimeError, match="GB free, 1e\\+09 are wanted"):
        disk.check(pipeline, 1e9)
    said = flow(pipeline, server, NIGHT.format(1e9)).communicate(timeout=120)[0]
    assert "are wanted before a run begins" in said
    assert not (pipeline / "both").exists()
    assert not (pipeline / paths.GANS / "mine").exists()

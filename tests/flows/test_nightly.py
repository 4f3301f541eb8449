import sqlite3

import pytest

from flows import disk, nightly
from tests.helpers.checkouts import flow, run


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


def test_nothing_begins_on_a_full_disk(pipeline, server):
    with pytest.raises(RuntimeError, match="GB free, 1e\\+09 are wanted"):
        disk.check(pipeline, 1e9)
    code = "from flows.nightly import nightly; nightly(least_free_gb=1e9)"
    said = flow(pipeline, server, code).communicate(timeout=120)[0]
    assert "are wanted before a run begins" in said
    assert not (pipeline / "both").exists()

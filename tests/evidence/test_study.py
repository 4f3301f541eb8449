import sys

from stages import files, paths
from stages.evidence import study_runs
from tests.helpers import kills
from tests.helpers.checkouts import run
from tests.helpers.projects import change

COMMAND = (sys.executable, "-m", "stages.evidence.study")


def kept(folder):
    return {p.name: p.read_text().splitlines() for p in (folder / study_runs.FOLDER).glob("*/*.jsonl")}


def test_a_killed_study_goes_on_where_it_was_and_a_wider_one_keeps_its_runs(done):
    kills.once(COMMAND, done, lambda: sum(map(len, kept(done).values())) >= 3)
    before = kept(done)["tube_mint.jsonl"]
    run(done, *COMMAND)
    after = kept(done)["tube_mint.jsonl"]
    assert set(before) <= set(after)  # seconds and all: not trained again
    found = files.read_json(done / paths.STUDY)
    assert set(found["arms"]) == {"ten_standard", "paste", "warm_ten", "all"}
    assert set(found["arms"]["warm_ten"]["known"]) == {"map50_95", "found"}
    assert set(found["arms"]["paste"]["shifted"]) == {"other_bin", "other_height", "other_light"}
    assert "worth" in files.read_json(done / paths.METRICS / "curve.json")
    assert not (done / ".checkpoints" / "study").exists()
    change(done, {"scales.smoke.study.counts": [1]})
    said = run(done, *COMMAND).stdout
    wider = len(after) - len([line for line in after if '"count":3,' in line]) - 1  # the row of the known products'
    assert f"{wider} runs of 12 steps each, {wider} of them done" in said
    assert kept(done)["tube_mint.jsonl"] == after


def test_without_training_it_says_anew_what_follows_from_the_runs_that_are_there(done):
    for path in (done / study_runs.FOLDER).glob("*/*.jsonl"):
        path.write_text(path.read_text().replace('"mark":"', '"mark":"of other code '))
    before, answer = kept(done), (done / paths.STUDY).read_bytes()
    (done / paths.STUDY).unlink()
    said = run(done, *COMMAND, "--most", "0").stdout
    assert "others were made before something changed, and are counted as they are" in said
    assert kept(done) == before and (done / paths.STUDY).read_bytes() == answer
    said = run(done, *COMMAND, "--most", "1").stdout
    assert "others were made before something changed, and are left out" in said
    assert files.read_json(done / paths.STUDY)["conditions"]["runs"] == 1


def test_a_study_makes_the_report_stale_which_shows_it_and_what_takes_the_seeds_spread_from_it(done):
    change(done, {"scales.smoke.study.counts": [1, 3]})
    said = run(done, "dvc", "status").stdout
    assert [line for line in said.splitlines() if not line.startswith("\t")] == ["evidence:", "gate:", "report:"]
    run(done, sys.executable, "-m", "stages.report.index")
    assert "Which photographs" not in (page := (done / "reports" / "index.html").read_text())
    assert "Arms of as many photographs" in page


def test_a_product_that_is_not_there_is_one_line(done):
    change(done, {"scales.smoke.study.products": ["tube_mnt"]})
    failed = run(done, *COMMAND, ok=False)
    assert failed.returncode == 2
    assert failed.stderr.startswith(
        "tenfold: scales.smoke.study.products: there is no group 'tube_mnt'; the dataset has "
    )

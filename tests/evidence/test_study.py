import os
import signal
import subprocess
import sys
import time

from flows import child
from stages import files, paths
from stages.evidence import study_runs
from tests.helpers.checkouts import environment, run
from tests.helpers.projects import change

COMMAND = (sys.executable, "-m", "stages.evidence.study")


def kept(folder):
    return {p.name: p.read_text().splitlines() for p in (folder / study_runs.FOLDER).glob("*/*.jsonl")}


def test_a_killed_study_goes_on_where_it_was_and_a_wider_one_keeps_its_runs(copied):
    killed = subprocess.Popen(COMMAND, cwd=copied, env=environment(copied), stderr=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
    deadline = time.monotonic() + 240
    while sum(map(len, kept(copied).values())) < 3:
        assert killed.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    child.end(killed.pid)  # its children die on their own time
    before = kept(copied)["tube_mint.jsonl"]
    run(copied, *COMMAND)
    after = kept(copied)["tube_mint.jsonl"]
    assert set(before) <= set(after)  # seconds and all: not trained again
    found = files.read_json(copied / paths.STUDY)
    assert set(found["arms"]) == {"ten_standard", "paste", "warm_ten", "all"}
    assert set(found["arms"]["warm_ten"]["known"]) == {"map50_95", "found"}
    assert set(found["arms"]["paste"]["shifted"]) == {"other_bin", "other_height", "other_light"}
    assert "worth" in files.read_json(copied / paths.METRICS / "curve.json")
    assert not (copied / ".checkpoints" / "study").exists()
    change(copied, {"scales.smoke.study.counts": [1]})
    said = run(copied, *COMMAND).stdout
    wider = len(after) - len([line for line in after if '"count":3,' in line]) - 1  # the row of the known products'
    assert f"{wider} runs of 12 steps each, {wider} of them done" in said
    assert kept(copied)["tube_mint.jsonl"] == after


def test_a_study_makes_the_report_stale_which_shows_it_and_nothing_else(copied):
    change(copied, {"scales.smoke.study.counts": [1, 3]})
    said = run(copied, "dvc", "status").stdout
    assert [line for line in said.splitlines() if not line.startswith("\t")] == ["report:"]
    run(copied, sys.executable, "-m", "stages.report.index")
    assert "Which photographs" not in (page := (copied / "reports" / "index.html").read_text())
    assert "Arms of as many photographs" in page


def test_a_product_that_is_not_there_is_one_line(copied):
    change(copied, {"scales.smoke.study.products": ["tube_mnt"]})
    failed = run(copied, *COMMAND, ok=False)
    assert failed.returncode == 2
    assert failed.stderr.startswith(
        "tenfold: scales.smoke.study.products: there is no group 'tube_mnt'; the dataset has "
    )

import pandas as pd
import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import review
from stages import files, paths
from tests.helpers.checkouts import becomes, flow

CODE = """
from pathlib import Path
from prefect import flow
from flows import review

review.POLL = 1

@flow(log_prints=True)
def waits():
    review.wait(Path("."), "spray", {minutes})
    print("WENT ON")

waits()
"""


@pytest.fixture
def judged(tmp_path):
    """A checkout with verdicts: two doubtful candidates, and one of which a person has said that it is."""
    verdicts = tmp_path / paths.VERDICTS
    rows = [
        ("green", "new"),
        ("yellow", "new, but 1 ghost"),
        ("yellow", "new, but 1 part"),
        ("yellow", "yellow, says A"),
    ]
    files.write(verdicts / "paste.csv", pd.DataFrame(rows, columns=["verdict", "reason"]).to_csv(index=False))
    files.write(verdicts / "wgan_ten.csv", pd.DataFrame(rows[:1], columns=["verdict", "reason"]).to_csv(index=False))
    return tmp_path


def test_only_what_nobody_has_spoken_of_is_doubtful(judged, tmp_path):
    assert review.doubtful(judged) == {"paste": 2}
    assert review.doubtful(tmp_path / "elsewhere") == {}


def test_where_nobody_comes_the_run_goes_on_and_succeeds(judged, server):
    said = flow(judged, server, CODE.format(minutes=0.05)).communicate(timeout=180)[0]
    assert "doubtful are 2 of paste. Waiting 0.05 minutes: `python -m flows.arrivals review spray`" in said
    assert "WENT ON" in said
    assert said.count("Completed()") == 1  # and not called failed by the server, which had it paused


def test_a_run_goes_on_once_a_person_has_looked(judged, server):
    looked = judged / "stages" / "judge" / "review.py"  # the product's own code shows its candidates
    files.write(
        looked,
        "import os, pathlib, signal, time\npathlib.Path('looked').touch()\n"
        "os.kill(os.getppid(), signal.SIGINT)\ntime.sleep(60)\n",
    )  # as somebody who has seen enough
    process = flow(judged, server, CODE.format(minutes=30))
    with temporary_settings({PREFECT_API_URL: server["PREFECT_API_URL"]}), get_client(sync_client=True) as client:
        assert becomes(lambda: any(r.state.is_paused() for r in client.read_flow_runs()), 90)
        assert not (judged / "looked").exists()
        assert review.look(judged, "another", server["PREFECT_API_URL"]) == 0
        assert review.look(judged, "spray", server["PREFECT_API_URL"]) == 1
    assert "WENT ON" in process.communicate(timeout=90)[0]
    assert (judged / "looked").exists()


def test_without_doubts_or_time_nothing_waits(judged, capsys):
    review.wait(judged, "spray", 0)
    (judged / paths.VERDICTS / "paste.csv").unlink()
    review.wait(judged, "spray", 30)
    assert "Waiting" not in capsys.readouterr().out

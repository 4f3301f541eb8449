import pytest

from flows import run_progress
from stages import files
from tests.helpers.checkouts import flow

CODE = """
from flows import run_progress
from flows.reproduce import reproduce
with run_progress.looked_at():
    reproduce([])
"""


@pytest.fixture
def clock(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    now = [100.0]
    monkeypatch.setattr(run_progress.time, "monotonic", lambda: now[0])
    return now


def test_a_run_is_done_by_the_time_that_its_stages_take_not_by_their_number(clock):
    files.write_json(run_progress.SECONDS, {"figures": {"gan@long": 850.0, "arm@a": 40.0, "arm@b": 60.0}})
    bar = run_progress.Bar(["gan@long", "arm@new", "unheard_of"])
    assert bar.expected == {"gan@long": 850.0, "arm@new": 50.0, "unheard_of": run_progress.UNKNOWN}
    bar.begin("arm@new")
    clock[0] += 400  # instead of 50: this machine seems to be half as fast
    bar.end("arm@new")
    assert bar.share == pytest.approx(50 / 905)
    bar.begin("gan@long")
    clock[0] += 200
    assert bar.share == pytest.approx(150 / 905)
    clock[0] += 10_000
    assert bar.share == pytest.approx((50 + run_progress.ALMOST * 850) / 905)
    assert str(bar) == "1 of 3 stages done; gan@long runs"


def test_short_stages_that_wait_more_than_they_work_say_little_of_the_time_left(clock):
    files.write_json(run_progress.SECONDS, {"figures": {"gan@long": 1000.0}})
    bar = run_progress.Bar(["source", "gan@long"])
    bar.begin("source")
    clock[0] += 30
    bar.end("source")
    bar.begin("gan@long")
    clock[0] += 100
    assert bar.share == pytest.approx(100 / 1005, rel=0.15)


def test_a_first_stage_that_takes_longer_than_it_should_does_not_make_hours_of_the_rest(clock, monkeypatch):
    monkeypatch.setattr(run_progress.provenance, "cores", lambda: 2)
    files.write_json(run_progress.SECONDS, {"figures": {"gan@long": 4000.0}})
    bar = run_progress.Bar(["source", "gan@long"])
    assert bar.left == pytest.approx(4005 / 2)
    bar.begin("source")
    clock[0] += 60  # of five that were expected
    assert bar.left == pytest.approx(4000 / 2, rel=0.25)
    bar.end("source")
    bar.begin("gan@long")
    clock[0] += 3000  # on one core, as a training is
    assert 1000 <= bar.left < 1600
    bar.end("gan@long")
    assert bar.left == 0


def test_nothing_to_do_is_no_division_by_nothing(clock):
    assert run_progress.Bar([]).share == 0


def test_a_person_sees_one_bar_and_finds_the_rest_in_the_log(pipeline, server):
    said = flow(pipeline, server, CODE).communicate(timeout=180)[0]
    assert "Running stage" not in said and "Beginning flow run" not in said
    assert "4 of 4 stages done; nothing runs" in said
    assert "Task run 'both' - Running stage 'both'" in (pipeline / run_progress.LOG).read_text()


def test_a_failed_stage_is_said_to_the_person_too(pipeline, server):
    text = (pipeline / "dvc.yaml").read_text()
    (pipeline / "dvc.yaml").write_text(text.replace("echo left > left", "echo 'tenfold: mend me' && exit 2"))
    said = flow(pipeline, server, CODE).communicate(timeout=180)[0]
    assert "left: " in said and "mend me" in said
    assert f"Problem: 2 stages failed or could not be run: left, both; {run_progress.LOG} has all that was said" in said
    assert "Traceback" not in said.partition("left: ")[2].partition("stages done")[0] and "prefect" not in said


def test_parts_of_a_whole_are_shown_on_its_bar(clock):
    with (
        run_progress.of(["gate", "product"], {"gate": 60.0, "arm@paste": 30.0}) as bar,
        run_progress.of(["arm@paste"]) as part,
    ):
        assert part is bar
        assert bar.expected == {"gate": 60.0, "product": run_progress.UNKNOWN, "arm@paste": 30.0}
    with run_progress.of(["arm@paste"]) as bar:  # another run's
        assert bar.expected == {"arm@paste": run_progress.UNKNOWN}

import signal
import subprocess

import yaml
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import checkout_lock, reproduce, run_progress, warm
from flows.dag import Stage
from stages import provenance
from tests.helpers.checkouts import becomes, cold, environment, flow, run
from tests.helpers.sleeping import sleeping

CODE = "from flows.reproduce import reproduce; print('RAN', reproduce({targets}, slots=2))"


def test_stages_are_ready_when_what_they_need_is_done():
    stages = {"a": Stage(frozenset(), False), "b": Stage(frozenset("a"), False), "c": Stage(frozenset("b"), False)}
    ways = dict.fromkeys("abc", 1.0)
    assert reproduce.ready(stages, [], [], ways) == ["a"]
    assert reproduce.ready({"b": stages["b"], "c": stages["c"]}, ["a"], [], ways) == []
    assert reproduce.ready({"b": stages["b"], "c": stages["c"]}, [], ["a"], ways) == []  # it failed
    assert reproduce.ready({"b": stages["b"], "c": stages["c"]}, [], [], ways) == ["b"]


def test_first_comes_what_most_has_to_wait_for():
    after = {"long": "", "short": "", "middle": "short", "last": ("middle", "long"), "alone": ""}
    stages = {name: Stage(frozenset([of] if isinstance(of, str) and of else of), False) for name, of in after.items()}
    ways = reproduce.to_the_end(stages, {"long": 6, "short": 1, "middle": 7, "last": 2, "alone": 9})
    assert ways == {"long": 8, "short": 10, "middle": 9, "last": 2, "alone": 9}
    assert reproduce.ready(stages, [], [], ways) == ["short", "alone", "long"]


def test_every_stage_is_a_task_and_a_second_run_has_nothing_to_do(pipeline, server):
    twice = CODE.format(targets=[]) + "; print('RAN', reproduce())"
    said = flow(pipeline, server, twice).communicate(timeout=180)[0]
    first, _, second = said.partition("RAN ['")
    assert second, said
    assert (pipeline / "both").read_text() == "left\nright\n"
    begun = {name: int((pipeline / f"{name}.begun").read_text()) / 1e9 for name in ("left", "right")}
    assert begun["left"] - begun["right"] < 3  # at the same time: one after the other would be more than three seconds
    assert "up to date" in run(pipeline, "dvc", "status").stdout
    with temporary_settings({PREFECT_API_URL: server["PREFECT_API_URL"]}), get_client(sync_client=True) as client:
        tasks = {t.name: t.state.name for t in client.read_task_runs()}
        artifacts = {a.key for a in client.read_artifacts()}
    assert {"left", "right", "both", "alone"} <= tasks.keys()
    assert "metrics" in artifacts
    assert "4 of 4 stages are stale" in first
    assert "0 of 4 stages are stale" in second and "RAN []" in second


def test_stages_share_the_cores_and_one_that_all_others_wait_for_has_them_all(pipeline, server):
    text = (pipeline / "dvc.yaml").read_text()
    for name, command in (("left", "echo left > left"), ("both", "cat left right > both")):
        text = text.replace(command, f"sh -c '{command}; echo $OMP_NUM_THREADS > {name}.threads'")
    (pipeline / "dvc.yaml").write_text(text)
    flow(pipeline, server, CODE.format(targets=["both"]), OMP_NUM_THREADS="").communicate(timeout=180)
    threads = {name: int((pipeline / f"{name}.threads").read_text()) for name in ("left", "both")}
    assert threads == {"left": max(1, provenance.cores() // 2), "both": provenance.cores()}


def test_nobody_else_works_in_the_checkout_until_the_last_stage_has_ended(pipeline, server):
    """DVC's own locks are free between two stages."""
    text = (pipeline / "dvc.yaml").read_text()
    for name, command in (("left", "echo left > left"), ("both", "cat left right > both")):
        text = text.replace(command, f"(flock -n {checkout_lock.LOCK} echo free || echo held) > {name}")
    (pipeline / "dvc.yaml").write_text(text)
    said = flow(pipeline, server, CODE.format(targets=["both"])).communicate(timeout=180)[0]
    assert [(pipeline / name).read_text() for name in ("left", "both")] == ["held\n", "held\n"], said
    with checkout_lock.alone(pipeline, wait=False):
        pass


def test_many_stages_are_forked_from_one_process(pipeline, server):
    (pipeline / "note.py").write_text("import sys, time; time.sleep(0.5); print('colorsys' in sys.modules)")
    stages = [f"  s{k}: {{cmd: python -m note > s{k}, outs: [s{k}]}}\n" for k in range(reproduce.MANY)]
    (pipeline / "dvc.yaml").write_text("stages:\n" + "".join(stages))
    few = "from flows import warm; warm.MODULES = ('colorsys',); " + CODE.format(targets=[])
    said = flow(pipeline, server, few, PATH=cold(), **{warm.MARK: ""}).communicate(timeout=180)[0]
    assert "Finished in state Completed()" in said, said[-5000:]
    assert (pipeline / f"s{reproduce.MANY - 1}").read_text() == "True\n", said


def test_in_another_clone_it_ends_with_the_same_lock_as_dvc_by_itself(complete, checkout, server):
    other = checkout("two")
    targets = ["gan_sample@wgan_transfer", "arm@paste"]  # with each kind of training
    said = flow(other, server, f"from flows.reproduce import reproduce; reproduce({targets}, slots=2)").communicate()[0]
    assert "Finished in state Completed()" in said, said[-5000:]
    dvc, by_flow = (yaml.safe_load((folder / "dvc.lock").read_text())["stages"] for folder in (complete, other))
    assert {"gan@wgan_ten", "judge_detector@focus", "compose@paste"} < by_flow.keys()
    assert by_flow == {name: dvc[name] for name in by_flow}
    # A training that is not forked computes the same.
    alone = environment(other) | {"PATH": cold()}
    subprocess.run(["dvc", "repro", "--force", "--single-item", "arm@paste"], cwd=other, env=alone, check=True)
    assert yaml.safe_load((other / "dvc.lock").read_text())["stages"] == by_flow


def test_a_failed_stage_stops_what_needs_it_and_nothing_else(pipeline, server):
    text = (pipeline / "dvc.yaml").read_text()
    broken = text.replace("sleep 1 && date +%s%N > left.begun && echo left > left", "echo 'tenfold: mend me' && exit 2")
    (pipeline / "dvc.yaml").write_text(broken)
    said = flow(pipeline, server, CODE.format(targets=[])).communicate(timeout=180)[0]
    assert "2 stages failed or could not be run: left, both" in said
    assert said.count("tenfold: mend me") >= 1 and "retry" not in said.lower()  # a person has to mend it first
    assert (pipeline / "alone").exists() and (pipeline / "right").exists() and not (pipeline / "both").exists()


def test_make_repro_says_in_a_line_what_failed(pipeline, server):
    text = (pipeline / "dvc.yaml").read_text()
    (pipeline / "dvc.yaml").write_text(text.replace("echo left > left", "echo 'tenfold: mend me' && exit 2"))
    process = flow(pipeline, server, "from flows.reproduce import main; from stages import command; command.end(main)")
    said = process.communicate(timeout=180)[0]
    assert process.returncode == 2
    assert (
        said.splitlines()[-1]
        == f"tenfold: 2 stages failed or could not be run: left, both; {run_progress.LOG} has all that was said"
    )
    assert (pipeline / "alone").exists() and (pipeline / "right").exists()


def test_a_stage_that_was_killed_is_tried_again(pipeline, server):
    text = (pipeline / "dvc.yaml").read_text()
    once = "if [ ! -e tried ]; then touch tried; kill -9 $$; fi; date +%s%N > left.begun; echo left > left"
    broken = text.replace("sleep 1 && date +%s%N > left.begun && echo left > left", once)
    (pipeline / "dvc.yaml").write_text(broken)
    said = flow(pipeline, server, CODE.format(targets=["left"])).communicate(timeout=180)[0]
    assert "RAN ['left']" in said, said
    assert (pipeline / "left").exists()


def test_ending_a_flow_ends_its_children(pipeline, server):
    text = (pipeline / "dvc.yaml").read_text()
    (pipeline / "dvc.yaml").write_text(text.replace("sleep 1 &&", "sleep 287 &&"))
    process = flow(pipeline, server, CODE.format(targets=["left"]))
    assert becomes(sleeping, 90)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert becomes(lambda: not sleeping(), 20)

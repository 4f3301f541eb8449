import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from flows import child
from stages import files
from tests.helpers.checkouts import ROOT, run

# A child that starts one of its own, as dvc does, and says which.
PARENT = "import subprocess, sys; p = subprocess.Popen(['sleep', '300']); print(p.pid, flush=True); p.wait()"


def gone(pid, seconds=20):
    deadline = time.monotonic() + seconds
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_output_is_handed_on_line_by_line_and_an_error_is_named(tmp_path):
    said = []
    assert child.run(["sh", "-c", "echo one; echo two"], tmp_path, said.append) == "one\ntwo"
    assert said == ["one", "two"]
    with pytest.raises(child.Failed, match=r"exit status 3: params\.yaml: seed: no") as failed:
        child.run(["sh", "-c", "echo 'tenfold: params.yaml: seed: no'; exit 3"], tmp_path, said.append)
    assert failed.value.says
    with pytest.raises(child.Failed) as failed:
        child.run(["sh", "-c", "exit 9"], tmp_path, said.append)
    assert not failed.value.says
    assert not list((tmp_path / child.NOTES).iterdir())


@pytest.mark.parametrize(
    "name", ["AWS_SECRET_ACCESS_KEY", "SMTP_PASS", "OPENAI_APIKEY", "MYSQL_PWD", "SLACK_WEBHOOK_URL"]
)
def test_secret_variables_are_blacked_out(name):
    environ = {name: "abcdef123", "HOME": "/home/ada", "PWD": "/home/ada", "OLDPWD": "/home/ada", "SHORT_TOKEN": "x"}
    assert child.redacted("key abcdef123 in /home/ada", environ) == "key *** in /home/ada"


def test_a_secret_of_several_lines_is_blacked_out_in_each(tmp_path, monkeypatch):
    monkeypatch.setenv("SIGNING_KEY", "-----BEGIN KEY-----\nabcdef123\n  ghijkl456  \n=\n")
    said = child.run(["sh", "-c", 'echo "$SIGNING_KEY"'], tmp_path, lambda _: None)
    assert [line.strip() for line in said.splitlines()] == ["***", "***", "***", "="]


@pytest.mark.parametrize(("said", "shown"), [
    ("s3://ada:lovelace@store/x", "s3://***@store/x"),
    ("https://ghp_12345@host/x", "https://***@host/x"),
    ("https://ada:love@lace@host", "https://***@host"),
    ("http://host/x?a=1&password=love&b=2", "http://host/x?a=1&password=***&b=2"),
    ("'http://host/x?api_key=love'", "'http://host/x?api_key=***'"),
    ("http://host/x?sv=1&sig=a%2Fb", "http://host/x?sv=1&sig=***"),
    ("to https://hooks.slack.com/services/T0/B0/x1 now", "to https://*** now"),
    ("https://discord.com/api/webhooks/1/x", "https://***"),
    ("at 12:30 x, mail ada@host, http://host/x?keys=1&page=2", "at 12:30 x, mail ada@host, http://host/x?keys=1&page=2"),
])  # fmt: skip
def test_secrets_in_addresses_are_blacked_out(said, shown):
    assert child.redacted(said, {}) == shown


def test_what_dvc_has_for_credentials_is_blacked_out(tmp_path):
    local = (
        "['remote \"a\"']\n    password = lovelace\n    url = s3://a\n['remote \"b\"']\n    password = 'hush hush'\n"
    )
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config.local").write_bytes(b"# gro\xdf\n" + local.encode())
    said = child.run(["echo", "lovelace, hush hush, s3://a"], tmp_path, lambda _: None)
    assert said == "***, ***, s3://a"
    assert child.one_line("it is\n  lovelace", tmp_path) == "it is ***"


def test_all_that_a_child_started_ends_with_it(tmp_path):
    def stop(line):
        raise KeyboardInterrupt(line)

    with pytest.raises(KeyboardInterrupt) as stopped:
        child.run([sys.executable, "-c", PARENT], tmp_path, stop)
    assert gone(int(str(stopped.value)))


def test_what_a_killed_flow_left_running_is_found_and_ended(tmp_path):
    code = f"from pathlib import Path; from flows import child; child.run(['{sys.executable}', '-c', {PARENT!r}], " \
           f"Path({str(tmp_path)!r}), lambda line: print(line, flush=True))"  # fmt: skip
    flow = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    grandchild = int(flow.stdout.readline())
    assert child.reap(tmp_path / child.NOTES) == []  # its flow is alive
    os.kill(flow.pid, signal.SIGKILL)
    flow.wait()
    assert psutil.pid_exists(grandchild)
    assert len(child.reap(tmp_path / child.NOTES)) == 1
    assert gone(grandchild)
    assert child.reap(tmp_path / child.NOTES) == []


def test_another_process_that_has_got_the_number_is_left_alone(tmp_path):
    with subprocess.Popen(["sleep", "300"], start_new_session=True) as stranger:
        gone_parent = {"parent": stranger.pid, "parent_born": 1.0, "born": 1.0}
        files.write_json(tmp_path / f"{stranger.pid}.json", gone_parent)
        assert child.reap(tmp_path) == [] and stranger.poll() is None
        assert not list(tmp_path.iterdir())
        stranger.kill()


def test_what_another_user_runs_is_left_alone(monkeypatch):
    asked = []

    def refused(group, how):
        asked.append(how)
        raise PermissionError

    monkeypatch.setattr(os, "killpg", refused)
    child.end(os.getpgid(0))
    assert asked == [signal.SIGTERM]


def test_a_note_that_is_empty_is_dropped(tmp_path, capsys):
    for ask in (child.reap, lambda _: child.end_all(tmp_path)):
        files.write(tmp_path / child.NOTES / "123.json", "")
        ask(tmp_path / child.NOTES)
        assert "dropped 123.json" in capsys.readouterr().out
        assert not list((tmp_path / child.NOTES).iterdir())


def test_a_list_of_locks_that_outlived_its_processes_is_dropped(pipeline):
    path = pipeline / ".dvc" / "tmp" / "rwlock"
    entry = {"pid": os.getpid(), "cmd": "dvc repro alone"}  # this process has got the number of one that ended
    files.write_json(path, {"write": {str(pipeline / "alone"): entry}})
    assert not child.mend_locks(pipeline)  # it may be this one's
    os.utime(path, (1, 1))
    assert run(pipeline, "dvc", "repro", "alone", ok=False).returncode
    os.utime(path, (1, 1))
    assert child.mend_locks(pipeline)
    run(pipeline, "dvc", "repro", "alone")


@pytest.mark.parametrize("left", ["", '{"read": {"a": [{"pid"', "[]", '{"write": {"a": 5}}'])
def test_a_list_of_locks_that_is_half_written_is_dropped(pipeline, left):
    path = pipeline / ".dvc" / "tmp" / "rwlock"
    path.write_text(left)
    assert run(pipeline, "dvc", "repro", "alone", ok=False).returncode
    assert child.mend_locks(pipeline)
    run(pipeline, "dvc", "repro", "alone")
    assert not child.mend_locks(pipeline)  # it is whole, or there is none

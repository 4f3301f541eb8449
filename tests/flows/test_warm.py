"""Commands that are forked from one process run as if each had been started by itself."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from flows import warm, warm_server
from tests.helpers.checkouts import becomes, cold

# What a command is told and finds, as JSON; whether it was forked: only the server imports this module.
TELLS = """
import json, os, sys, pathlib, multiprocessing
import besides
print(json.dumps({
    "arguments": sys.argv[1:], "name": __name__, "cwd": os.getcwd(), "said": os.environ["SAID"],
    "read": sys.stdin.read(), "besides": besides.__file__, "forked": "colorsys" in sys.modules,
    "spec": __spec__.name, "pid": os.getpid(),
    "own": [name for name in sys.modules if name.startswith("flows")],
}))
print("to the other one", file=sys.stderr)
sys.exit(7)
"""
SLEEPS = """
import pathlib, subprocess, sys, time
pathlib.Path(sys.argv[1]).write_text(str(__import__("os").getpid()))
if len(sys.argv) > 2:
    subprocess.run(["python", "-m", "sleeps", *sys.argv[2:]])
time.sleep(60)
"""


COMPUTES = """
import sys
forked = "torch" in sys.modules
import numpy, torch
size = numpy.random.default_rng(0).random((600, 600), numpy.float32)
size @ size
layer = torch.nn.Conv2d(8, 8, 3)
layer(torch.rand(8, 8, 64, 64)).sum().backward()
print(forked)
"""


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """A folder with modules, beside one on PYTHONPATH, from which a forked command has been run once."""
    folder, other = tmp_path / "a place", tmp_path / "other"
    for path, text in {folder / "tells.py": TELLS, folder / "sleeps.py": SLEEPS, other / "besides.py": ""}.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.delenv(warm.MARK, raising=False)
    monkeypatch.setenv("PATH", os.environ["PATH"])  # both are as before when the test has ended
    monkeypatch.chdir(folder)
    ending = warm.start("colorsys")
    monkeypatch.setenv("PYTHONPATH", str(other))
    assert becomes(lambda: told(tells())["forked"], 20)
    yield folder
    os.close(ending)


def tells(**environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["python", "-m", "tells", "one", "two words"], input="what is read", capture_output=True, text=True,
        env=os.environ | {"SAID": "äöü"} | environment,
    )  # fmt: skip


def told(done: subprocess.CompletedProcess) -> dict:
    return json.loads(done.stdout)


def sleeping(*notes: Path) -> tuple[subprocess.Popen, list[psutil.Process]]:
    """A command that has started further ones, each of which has noted itself, and all their processes."""
    process = subprocess.Popen(["python", "-m", "sleeps", *map(str, notes)], start_new_session=True)
    assert becomes(lambda: all(note.exists() and note.read_text() for note in notes), 20)
    return process, [psutil.Process(int(note.read_text())) for note in notes]


def gone(processes: list[psutil.Process]) -> bool:
    return becomes(lambda: not any(process.is_running() for process in processes), 5)


def test_it_runs_as_one_that_is_started_by_itself(place):
    forked, alone = tells(), tells(OMP_NUM_THREADS="5")
    first, second = told(forked), told(alone)
    assert (first.pop("forked"), second.pop("forked")) == (True, False), "threads are counted when a library is loaded"
    assert first.pop("pid") != second.pop("pid")
    assert first == second
    assert first["cwd"] == str(place) and first["own"] == [] and first["read"] == "what is read"
    assert (forked.returncode, forked.stderr) == (alone.returncode, alone.stderr) == (7, "to the other one\n")


def test_what_an_import_sets_in_its_starter_lets_it_be_forked(place):
    code = "import stages.detector, cv2, subprocess; subprocess.run(['python', '-m', 'tells'], input=b'')"
    path = f"{Path(warm.__file__).parents[1]}{os.pathsep}{os.environ['PYTHONPATH']}"
    said = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"SAID": "", "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert told(said)["forked"]


def test_what_is_no_module_starts_by_itself(place):
    said = subprocess.run(["python", "-c", "import sys; print('colorsys' in sys.modules)"], capture_output=True)
    assert said.stdout == b"False\n"


def test_scripts_of_the_environment_are_forked_too(place):
    alone = subprocess.run([Path(sys.executable).with_name("dvc"), "version"], capture_output=True, text=True)
    assert subprocess.run(["dvc", "version"], capture_output=True, text=True).stdout == alone.stdout


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_it_and_ends_its_client_alike(place, how):
    process, (forked,) = sleeping(place / "note")
    process.send_signal(how)
    assert process.wait(10) == -how
    assert not forked.is_running()


def test_with_a_killed_client_ends_all_that_it_asked_for(place):
    process, forked = sleeping(place / "one", place / "two", place / "three")
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL and gone(forked)


def test_one_that_is_killed_takes_what_it_had_started_with_it_and_then_its_client_hears_of_it(place):
    process, forked = sleeping(place / "one", place / "two")
    forked[0].kill()
    assert process.wait(10) == -signal.SIGKILL and not any(one.is_running() for one in forked)


def test_a_client_that_stops_in_the_middle_harms_nobody(place):
    reading, writing = os.pipe()
    for message in (b"\0\0\0\x09half", b"\0\0\0\x02{}", b""):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f"{os.environ[warm.MARK]}/{warm_server.SOCKET}")
            if message:
                socket.send_fds(client, [message], [writing] * 3)
    os.close(writing)
    assert os.read(reading, 1) == b"", "what it was given is not kept"
    os.close(reading)
    assert told(tells())["forked"]


def test_threads_compute_in_what_is_forked_from_a_process_with_threads(place, monkeypatch):
    (place / "computes.py").write_text(COMPUTES)
    monkeypatch.setenv("PATH", cold())
    monkeypatch.delenv(warm.MARK)
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    ending = warm.start("torch", "scipy.linalg", "dvc.cli")  # which wraps the standard output
    folder = Path(os.environ[warm.MARK])
    assert becomes((folder / warm_server.SOCKET).exists, 60)
    done = [subprocess.run(["python", "-m", "computes"], capture_output=True, text=True, timeout=60) for _ in range(2)]
    assert [(of.returncode, of.stdout, of.stderr) for of in done] == [(0, "True\n", "")] * 2
    os.close(ending)


def test_with_the_server_ends_all_that_it_forked_and_later_ones_start_by_themselves(place):
    process, (forked,) = sleeping(place / "note")
    psutil.Process(forked.ppid()).kill()
    assert process.wait(10) == -signal.SIGKILL and gone([forked])
    assert told(tells())["forked"] is False


def test_nothing_is_left_of_a_starter_that_was_killed(place):
    code = "import os, time; from flows import warm; warm.start('colorsys'); print(os.environ[warm.MARK], flush=True)"
    environment = {name: value for name, value in os.environ.items() if name != warm.MARK}
    environment["PYTHONPATH"] = str(Path(warm.__file__).parents[1])
    starter = subprocess.Popen(
        [sys.executable, "-c", f"{code}; time.sleep(60)"], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    folder = Path(starter.stdout.readline().strip())
    assert becomes((folder / warm_server.SOCKET).exists, 20)
    starter.kill()
    assert becomes(lambda: not folder.exists(), 20)


def test_no_thread_of_what_is_imported_would_be_lost_in_a_fork():
    code = f"import os; from importlib import import_module; [import_module(name) for name in {warm.MODULES}]"
    code += "; print(*os.listdir('/proc/self/task'))"
    said = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True
    )
    assert len(said.stdout.split()) == 1, said.stderr

import os
from types import SimpleNamespace

import pytest

from stages import doctor, dvc_listing, files
from tests.helpers.checkouts import ROOT


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("", "none; smoke and demo need none, thesis would take weeks"),
        ("NVIDIA A100, 40960 MiB, 580.82.07, 8.0\nNVIDIA L4, 23034 MiB, 580.82.07, 8.9\n",
         "NVIDIA A100, 40960 MiB, driver 580.82.07; NVIDIA L4, 23034 MiB, driver 580.82.07"),
        ("Tesla T4, 15360 MiB, 550.54.15, 7.5\n",
         "Tesla T4, 15360 MiB, driver 550.54.15, no bf16 before compute capability 8.0: fp32 is used instead, "
         "driver TOO OLD for this torch, which needs 580"),
        ("NVIDIA GeForce GTX 1080 Ti, 11264 MiB, 580.82.07, 6.1\n",
         "NVIDIA GeForce GTX 1080 Ti, 11264 MiB, driver 580.82.07, too old for this torch, which needs compute "
         "capability 7.5: the processor is used instead"),
    ],
)  # fmt: skip
def test_it_tells_what_a_gpu_cannot_do(monkeypatch, said, line):
    monkeypatch.setattr(doctor, "_said", lambda *_: said)
    assert doctor._gpu() == line


@pytest.mark.parametrize("more", [1, -1])
def test_it_compares_the_disk_with_what_a_scale_was_counted_to_need(monkeypatch, more):
    monkeypatch.chdir(ROOT)
    wanted = files.read_json(doctor.NEEDS)["figures"]["thesis_disk_gb"]
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=(wanted + more) * 1e9))
    assert ("TOO LITTLE: scale thesis" in doctor._disk("thesis")) == (more < 0)
    assert doctor._disk("mine").endswith("nobody has counted what scale mine leaves")


def test_it_names_every_training_that_was_killed(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for kept in ("1a2b/state.pt", "1a2b/lock", "gan/wgan_ten/3c4d/lock", "inpaint/inpaint_ae/5e6f/lock"):
        files.write(doctor.paths.CHECKPOINTS / kept, "")
    assert doctor._locks().endswith(": 1a2b, gan/wgan_ten/3c4d, inpaint/inpaint_ae/5e6f")


def test_it_names_what_stages_hold_and_whether_they_still_run(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    dead = {"pid": 2**22 + 1, "cmd": "dvc repro"}
    for write, read, line in (
        ({"/data/made": dead}, {}, f"/data/made by DEAD process {dead['pid']}"),
        ({}, {"/data/in": [{"pid": os.getpid(), "cmd": "dvc repro"}]}, f"/data/in by running process {os.getpid()}"),
        ({}, {}, "none"),
    ):
        files.write_json(dvc_listing.LISTING, {"write": write, "read": read})
        assert doctor._locks() == line


def test_it_says_where_a_kill_left_half_a_list(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    files.write(dvc_listing.LISTING, '{"write": {"/data')
    assert "is half written" in doctor._locks()

"""GPUs that are not there: what torch and the driver would say of them is put in their place."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from stages import gpu
from stages.dataset import photo
from stages.detector import model
from stages.gan.gan_pair import GanPair
from stages.training import distributed
from stages.training.distributed import WorkerGroup
from tests.helpers.small_gan import SMALL


@pytest.fixture
def card(monkeypatch):
    """Return a function that puts so many GPUs of a compute capability into this machine."""

    def put(capability, count=1):
        monkeypatch.setattr(gpu.ctypes, "CDLL", lambda _: None)
        for name, said in {
            "is_available": count > 0, "device_count": count, "get_device_capability": capability,
            "get_device_name": "Card",
        }.items():  # fmt: skip
            monkeypatch.setattr(torch.cuda, name, lambda *_, said=said: said)
        gpu.count.cache_clear()

    yield put
    gpu.count.cache_clear()


def test_oldest_is_the_oldest_that_torch_has_kernels_for():
    built = torch._C._cuda_getArchFlags() or ""
    assert min(int(arch.removeprefix("sm_")) for arch in built.split()) == 10 * gpu.OLDEST[0] + gpu.OLDEST[1]


@pytest.mark.parametrize(
    ("capability", "count", "bf16", "said"),
    [
        ((9, 0), 1, True, ""),
        ((8, 0), 1, True, ""),
        ((7, 5), 1, False, "Card: no bf16 before compute capability 8.0: fp32 is used instead\n"),
        ((6, 1), 0, False, "Card: too old for this torch, which needs compute capability 7.5: "
                           "the processor is used instead\n"),
    ],
)  # fmt: skip
def test_an_older_gpu_does_what_it_can_and_one_line_says_so(card, capsys, capability, count, bf16, said):
    card(capability)
    assert gpu.count() == count == gpu.count()
    assert gpu.device().type == ("cuda" if count else "cpu")
    assert gpu.multiplies_in_bf16(torch.device("cuda")) == bf16
    assert capsys.readouterr().out == said


def test_a_gpu_that_torch_cannot_reach_is_told_unless_it_is_hidden(card, capsys, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    card((9, 0), count=0)
    assert gpu.count() == 0 and "make doctor" in capsys.readouterr().out
    monkeypatch.setenv(*next(iter(gpu.HIDE.items())))
    gpu.count.cache_clear()
    assert gpu.count() == 0 and not capsys.readouterr().out


@pytest.mark.parametrize(("capability", "amp"), [((8, 6), "bf16"), ((7, 5), False), ((6, 1), False)])
def test_a_detector_asks_for_bf16_where_there_is_some(card, tmp_path, params, capability, amp):
    for part in ("images", "labels"):
        (tmp_path / part / "train").mkdir(parents=True)
    photo.save(tmp_path / "images" / "train" / "one.png", np.zeros((8, 8, 3), np.uint8))
    card(capability)
    assert model._overrides(tmp_path, params.now.detector, 0, tmp_path)["amp"] == amp


def test_a_gan_without_bf16_trains_in_full_precision(monkeypatch):
    place, real = WorkerGroup(torch.device("cpu")), torch.rand(4, 3, 32, 32)
    full = GanPair(replace(SMALL, precision="fp32"), 0, place)
    half = GanPair(SMALL, 0, place)
    monkeypatch.setattr(gpu, "multiplies_in_bf16", lambda _: False)
    without = GanPair(SMALL, 0, place)
    losses = [pair.critic_step(real) for pair in (full, half, without)]
    assert torch.equal(losses[0], losses[2]) and not torch.equal(losses[0], losses[1])


def test_processes_that_outnumber_the_gpus_are_refused(card):
    card((9, 0), count=2)
    with pytest.raises(distributed.Problem, match=r"gan\.processes: 3 are wanted.* this run may use 2"):
        distributed.run(3, lambda _: None)

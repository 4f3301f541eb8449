import dataclasses
from dataclasses import replace

import pytest
import torch

from stages.gan.cuda_graph import EagerSteps, RecordedSteps
from stages.gan.gan_pair import GanPair
from stages.gan.networks import from_pixels
from stages.texture.recipe import TextureRecipe, noise_length
from stages.texture.spatial_gan import SpatialGan
from stages.training.distributed import WorkerGroup
from tests.helpers import recorded_on_cpu
from tests.helpers.small_gan import SMALL, pictures


def pair(recipe=SMALL, device="cpu", kind=GanPair):
    place = WorkerGroup(torch.device(device))
    real = from_pixels(pictures()).to(place.device, memory_format=torch.channels_last)
    return kind(recipe, 0, place), real


def train(steps, count=6):
    device = steps.pair.device if isinstance(steps, EagerSteps) else steps.picked.device
    for k in range(count):
        steps.critic_step(torch.tensor([k % 3, 0, 1, 2], device=device))
        if k % 2:
            steps.generator_step()


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_rewinding_puts_everything_back_where_it_lies(average):
    mine, real = pair(replace(SMALL, average=average))
    steps = EagerSteps(mine, real)
    train(steps)
    before = {name: value.clone() for name, value in mine.state().items()}
    places = {name: value.data_ptr() for name, value in mine.state().items() if not name.startswith("rng")}
    train(steps)
    once = {name: value.clone() for name, value in mine.state().items()}
    mine.rewind(before)
    assert all(torch.equal(value, before[name]) for name, value in mine.state().items())
    train(steps)
    assert all(torch.equal(value, once[name]) for name, value in mine.state().items())
    assert places == {name: value.data_ptr() for name, value in mine.state().items() if name in places}


def test_rewinding_to_the_start_forgets_the_moments():
    mine, real = pair()
    fresh = {name: value.clone() for name, value in mine.state().items()}
    train(EagerSteps(mine, real))
    once = {name: value.clone() for name, value in mine.state().items()}
    mine.rewind(fresh)
    train(EagerSteps(mine, real))
    assert all(torch.equal(value, once[name]) for name, value in mine.state().items())


PATTERN = TextureRecipe(**dataclasses.asdict(replace(SMALL, z=noise_length(32, 8), average=0.9)), metric=10.0, mode=0.2)
KINDS = [
    (GanPair, SMALL),
    (GanPair, replace(SMALL, penalty="none", loss="hinge_v1", average=0.9)),
    (GanPair, replace(SMALL, penalty="dragan", loss="lsgan", precision="fp32")),
    (GanPair, replace(SMALL, augment=("colour", "shift", "cutout"))),
    (SpatialGan, PATTERN),
]


@pytest.mark.parametrize(("kind", "recipe"), KINDS)
def test_what_is_recorded_without_a_gpu_replays_the_eager_steps_bit_for_bit(monkeypatch, kind, recipe):
    recorded_on_cpu.put_in(monkeypatch)
    ends = []
    for steps in (EagerSteps, RecordedSteps):
        mine, real = pair(recipe, kind=kind)
        train(EagerSteps(mine, real), 3)  # as after a resume
        train(steps(mine, real))
        ends.append(mine.state())
    assert ends[0].keys() == ends[1].keys()
    assert not [name for name, value in ends[0].items() if not torch.equal(value, ends[1][name])]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need a GPU")
@pytest.mark.parametrize(
    "recipe",
    [replace(SMALL, precision="fp32"), replace(SMALL, precision="fp32", penalty="none", average=0.9),
     replace(SMALL, precision="fp32", augment=("colour", "shift", "cutout"))],
)  # fmt: skip
def test_the_recorded_steps_are_the_eager_ones(recipe):
    """Same random numbers, same arithmetic, up to the order in which a GPU sums."""
    ends = []
    for kind in (EagerSteps, RecordedSteps):
        mine, real = pair(recipe, "cuda")
        train(kind(mine, real))
        ends.append(mine.state())
    for name, value in ends[0].items():
        assert torch.allclose(value.float(), ends[1][name].float(), rtol=1e-3, atol=1e-4), name

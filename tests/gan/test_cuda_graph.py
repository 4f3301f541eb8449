from dataclasses import replace

import pytest
import torch

from stages.gan.cuda_graph import Eager, Recorded
from stages.gan.gan_pair import GanPair
from stages.gan.networks import from_pixels
from stages.training.distributed import WorkerGroup
from tests.helpers.small_gan import SMALL, pictures


def pair(recipe=SMALL, device="cpu"):
    place = WorkerGroup(torch.device(device))
    real = from_pixels(pictures()).to(place.device, memory_format=torch.channels_last)
    return GanPair(recipe, 0, place), real


def play(game, steps=6):
    device = game.pair.device if isinstance(game, Eager) else game.picked.device
    for k in range(steps):
        game.critic_step(torch.tensor([k % 3, 0, 1, 2], device=device))
        if k % 2:
            game.generator_step()


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_rewinding_puts_everything_back_where_it_lies(average):
    mine, real = pair(replace(SMALL, average=average))
    game = Eager(mine, real)
    play(game)
    before = {name: value.clone() for name, value in mine.state().items()}
    places = {name: value.data_ptr() for name, value in mine.state().items() if not name.startswith("rng")}
    play(game)
    once = {name: value.clone() for name, value in mine.state().items()}
    mine.rewind(before)
    assert all(torch.equal(value, before[name]) for name, value in mine.state().items())
    play(game)
    assert all(torch.equal(value, once[name]) for name, value in mine.state().items())
    assert places == {name: value.data_ptr() for name, value in mine.state().items() if name in places}


def test_rewinding_to_the_start_forgets_the_moments():
    mine, real = pair()
    fresh = {name: value.clone() for name, value in mine.state().items()}
    play(Eager(mine, real))
    once = {name: value.clone() for name, value in mine.state().items()}
    mine.rewind(fresh)
    play(Eager(mine, real))
    assert all(torch.equal(value, once[name]) for name, value in mine.state().items())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need a GPU")
@pytest.mark.parametrize(
    "recipe",
    [replace(SMALL, precision="fp32"), replace(SMALL, precision="fp32", penalty="none", average=0.9),
     replace(SMALL, precision="fp32", augment=("colour", "shift", "cutout"))],
)  # fmt: skip
def test_the_recorded_game_is_the_eager_one(recipe):
    """Same random numbers, same arithmetic, up to the order in which a GPU sums."""
    ends = []
    for kind in (Eager, Recorded):
        mine, real = pair(recipe, "cuda")
        play(kind(mine, real))
        ends.append(mine.state())
    for name, value in ends[0].items():
        assert torch.allclose(value.float(), ends[1][name].float(), rtol=1e-3, atol=1e-4), name

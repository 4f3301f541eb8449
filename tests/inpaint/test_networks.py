import pytest
import torch

from stages.gan.networks import Critic
from stages.inpaint.networks import MARK, completed, marked, network, smooth

NAMES = ("ae", "ae_skip", "gan", "ambient")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [64, 128])
def test_a_picture_comes_out_as_large_as_it_went_in(name, size):
    made = network(name, 4, 0.2)(torch.zeros(2, 3, size, size))
    assert made.shape == (2, 3, size, size)
    assert made.abs().max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_a_hole_s_middle_depends_on_what_lies_around_it(name):
    torch.manual_seed(0)
    made = network(name, 8, 0).eval()
    torch.nn.init.normal_(made.last.weight)
    pictures = torch.rand(1, 3, 64, 64) * 2 - 1
    known = torch.ones(1, 1, 64, 64, dtype=torch.bool)
    known[..., 24:40, 24:40] = False
    before = made(marked(pictures, known))
    other = pictures.clone()
    other[..., 24:40, 24:40] = 0.5
    assert torch.equal(before, made(marked(other, known)))  # not on what is hidden
    other[..., :16, :] *= -1
    assert not torch.equal(before[..., 32, 32], made(marked(other, known))[..., 32, 32])


@pytest.mark.parametrize("name", NAMES)
def test_even_an_untrained_network_carries_colours_into_a_hole(name):
    pictures = torch.tensor([-0.5, 0.1, 0.9]).view(1, 3, 1, 1).expand(2, 3, 64, 64)
    known = torch.ones(2, 1, 64, 64, dtype=torch.bool)
    known[0, :, 10:50, 5:60] = False
    known[1, :, :, :63] = False
    assert torch.allclose(completed(network(name, 4, 0).eval(), pictures, known), pictures, atol=1e-5)


def test_a_smooth_filling_follows_a_slope_and_of_nothing_makes_grey():
    slope = torch.linspace(-1, 1, 64).expand(1, 3, 64, 64)
    known = torch.ones(1, 1, 64, 64)
    known[..., 24:40, 24:40] = 0
    made = smooth(slope * known, known)
    assert torch.equal(made * known, slope * known)
    assert (made - slope).abs().max() < 0.15
    assert not smooth(slope * 0, known * 0).any()


def test_a_mark_is_no_colour():
    pictures = torch.tensor([-1.0, 0.0, 1.0]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    known = torch.tensor([[True, False], [False, True]])[None, None]
    made = marked(pictures, known)
    assert (made == MARK).sum() == 6 and torch.equal(made[..., 0, 0], pictures[..., 0, 0])


@pytest.mark.parametrize(("name", "count"), [("ae", 2_942_019), ("ae_skip", 7_053_123), ("gan", 7_053_123)])
def test_the_seed_s_numbers_of_parameters(name, count):
    """With batch norm's statistics, as Keras counts. The GAN there has 3,147,105 more for its critic."""
    state = network(name, 32, 0.2).state_dict()
    assert sum(value.numel() for key, value in state.items() if not key.endswith("num_batches_tracked")) == count


def test_the_critic_s_number_of_parameters():
    assert sum(parameter.numel() for parameter in Critic(256, 32).parameters()) == 2_792_865

import numpy as np
import pytest
import torch

from stages.gan.networks import Critic
from stages.texture.networks import SpatialGenerator, field
from stages.texture.paint import exact, woven
from stages.texture.recipe import CELL, noise_length
from stages.texture.spatial_gan import PATCH


@pytest.fixture
def generator():
    """Untrained, but loud enough that every rounding shows."""
    torch.manual_seed(0)
    made = SpatialGenerator(32, noise_length(32, 5), 4)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.4)
    return exact(made)


@pytest.mark.parametrize("size", [32, 64, 128])
def test_what_goes_in_and_out_in_training(size):
    length = noise_length(size, 6)
    made = SpatialGenerator(size, length, 4, encodes=True)
    pictures = made(torch.randn(2, length))
    assert pictures.shape == (2, 3, size, size) and pictures.abs().max() <= 1
    assert made.encode(pictures).shape == (2, length)
    assert made(made.encode(pictures)).shape == pictures.shape


def test_encoded_noise_is_spread_as_noise_is():
    made = SpatialGenerator(64, noise_length(64, 6), 4, encodes=True)
    noise = made.encode(torch.rand(8, 3, 64, 64))
    assert abs(noise.mean()) < 0.05 and abs(noise.std() - 1) < 0.05


def test_any_size_comes_out(generator):
    for rows, columns in ((1, 1), (3, 7)):
        assert woven(generator, field(5, rows, columns, 0, False)).shape == (rows * CELL, columns * CELL, 3)


@pytest.mark.parametrize("window", [1, 2, 3, 5, 100])
def test_windows_and_the_whole_are_the_same_pixels(generator, window):
    noise = field(generator.z, 7, 11, 3, False)
    whole = woven(generator, noise, 1000)
    assert whole.std() > 40
    assert np.array_equal(woven(generator, noise, window), whole)


def test_a_tileable_picture_goes_on_at_its_own_other_side(generator):
    """Two by two tiles, woven as one picture without any edge in it, are the tile two by two times."""
    noise = field(generator.z, 4, 6, 3, True)
    tile = woven(generator, noise)
    twice = torch.nn.functional.pad(noise[None, :, 1:-1, 1:-1].tile(2, 2), (1, 1, 1, 1), mode="circular")[0]
    assert np.array_equal(woven(generator, twice), np.tile(tile, (2, 2, 1)))


def test_a_tileable_picture_wrapped_around_is_the_one_of_the_noise_wrapped_around(generator):
    noise = field(generator.z, 4, 6, 3, True)
    turned = torch.nn.functional.pad(noise[None, :, 1:-1, 1:-1].roll((1, 2), (2, 3)), (1, 1, 1, 1), mode="circular")[0]
    wrapped = np.roll(woven(generator, noise), (CELL, 2 * CELL), (0, 1))
    assert np.array_equal(woven(generator, turned), wrapped)


def test_a_place_of_the_noise_is_seen_by_its_cell_and_its_neighbours_only(generator):
    noise = field(generator.z, 9, 9, 0, False)
    changed = noise.clone()
    changed[:, 5, 5] += 1
    rows, columns = np.nonzero((woven(generator, noise) != woven(generator, changed)).any(-1))
    assert min(rows.min(), columns.min()) >= 3 * CELL and max(rows.max(), columns.max()) < 6 * CELL


def test_noise_that_does_not_tile_is_all_its_own():
    noise = field(3, 4, 4, 0, False)
    assert len(noise.unique()) == noise.numel()
    assert torch.equal(noise, field(3, 4, 4, 0, False)) and not torch.equal(noise, field(3, 4, 4, 1, False))


def test_the_critic_scores_every_patch():
    """The room's own critic, slid over a picture larger than it was made for."""
    critic = Critic(PATCH, 4)
    assert critic(torch.rand(2, 3, PATCH, PATCH)).shape == (2,)
    assert critic(torch.rand(2, 3, 96, 96)).shape == (2 * 9 * 9,)

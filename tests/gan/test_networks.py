import numpy as np
import pytest
import torch
from torch.nn.functional import conv_transpose2d

from stages.gan import networks
from stages.problem import Problem


def count(module, buffers=False):
    values = sum(p.numel() for p in module.parameters() if p.requires_grad)
    return values + sum(b.numel() for name, b in module.named_buffers() if "num_batches" not in name) * buffers


def test_the_thesis_counts_at_256_pixels():
    generator, critic = networks.Generator(256), networks.Critic(256)
    assert count(generator) == 12_196_739
    assert count(generator, buffers=True) == 12_200_707
    assert count(critic) == 11_156_289


@pytest.mark.parametrize("size", networks.SIZES)
@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_every_size_goes_in_and_out(size, norm):
    generator, critic = networks.Generator(size, dim=4).eval(), networks.Critic(size, dim=4, norm=norm).eval()
    with torch.no_grad():
        pictures = generator(torch.randn(2, 128))
        assert pictures.shape == (2, 3, size, size)
        assert pictures.abs().max() <= 1
        assert critic(pictures).shape == (2,)


@pytest.mark.parametrize("size", [0, 16, 48, 100, 1024])
def test_other_sizes_are_refused(size):
    with pytest.raises(Problem, match="32, 64, 128, 256, 512"):
        networks.Generator(size)


def test_pixel_norm_is_keras_layer_norm():
    """Over the channels at each pixel, epsilon 1e-3 inside the root."""
    norm = networks.PixelNorm(5)
    with torch.no_grad():
        norm.weight.copy_(torch.arange(5.0) + 1)
        norm.bias.fill_(0.25)
    x = torch.randn(2, 5, 3, 4)
    values = x.numpy().transpose(0, 2, 3, 1)
    mean, var = values.mean(-1, keepdims=True), values.var(-1, keepdims=True)
    wanted = (values - mean) / np.sqrt(var + 1e-3) * (np.arange(5) + 1) + 0.25
    assert np.allclose(norm(x).detach().numpy().transpose(0, 2, 3, 1), wanted, atol=1e-5)


def test_memory_format_changes_no_result():
    critic, x = networks.Critic(32, dim=8), torch.randn(3, 3, 32, 32)
    plain = critic(x)
    other = critic.to(memory_format=torch.channels_last)(x.to(memory_format=torch.channels_last))
    assert torch.allclose(plain, other, atol=1e-5)


def test_initialisation_is_glorot():
    critic = networks.Critic(64)
    weight = critic.layers[2].weight
    limit = (6 / (weight.shape[0] * 16 + weight.shape[1] * 16)) ** 0.5
    assert weight.abs().max() <= limit
    assert weight.abs().max() > 0.99 * limit
    assert weight.std().item() == pytest.approx(limit / 3**0.5, rel=0.02)
    assert not critic.layers[0].bias.any()


def test_the_transposed_convolutions_are_those_of_keras():
    """'same' with stride 2 and kernel 4 is padding 1: one input pixel reaches its own 4×4, one pixel outwards."""
    layer = networks.Generator(32, dim=4).layers[3]
    x = torch.zeros(1, layer.in_channels, 4, 4)
    x[0, 0, 1, 2] = 1
    y = conv_transpose2d(x, layer.weight, stride=layer.stride, padding=layer.padding)
    rows, cols = y.abs().sum((0, 1)).nonzero().T
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == (1, 4, 3, 6)


def test_norm_by_penalty():
    assert [networks.norm_for(p) for p in ("none", "dragan", "wgan-gp")] == ["batch", "layer", "layer"]

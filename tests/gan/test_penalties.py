import pytest
import torch

from stages.gan import networks, penalties
from stages.gan.penalties import PENALTIES


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_of_a_linear_critic_by_hand():
    """Its slope is its weight everywhere, so the penalty is (|w| - 1)²."""
    weight = torch.randn(3, 4, 4, generator=seeded())
    real, fake = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    for name, wanted in (("none", 0.0), ("dragan", (weight.norm() - 1) ** 2), ("wgan-gp", (weight.norm() - 1) ** 2)):
        found = PENALTIES[name](lambda x: (x * weight).sum((1, 2, 3)), real, fake)
        assert found.item() == pytest.approx(float(wanted), rel=1e-5)


def test_where_each_penalty_looks():
    real, fake = torch.zeros(500, 1, 1, 2), torch.ones(500, 1, 1, 2)
    real[:, ..., 1], fake[:, ..., 1] = 3, 5
    seen = []

    def critic(x):
        seen.append(x.detach().flatten(1))
        return x.sum((1, 2, 3))

    penalties.wgan_gp(critic, real, fake, seeded())
    penalties.dragan(critic, real, fake, seeded())
    line, around = seen
    assert torch.allclose(line[:, 1], 3 + 2 * line[:, 0])  # on the line from its real to its fake picture
    assert line[:, 0].min() < 0.02 and line[:, 0].max() > 0.98
    assert abs(line[:, 0].mean() - 0.5) < 0.05  # uniformly
    spread = 0.5 * real.std(correction=0)
    offset = around - torch.tensor([0.0, 3.0])
    assert offset.min() >= 0 and offset.max() <= spread  # never towards the fakes
    assert offset.max() > 0.8 * spread


@pytest.mark.parametrize("name", ["dragan", "wgan-gp"])
def test_gradient_of_the_penalty_against_finite_differences(name):
    """The derivative through the derivative, for every weight of a small critic, in double precision."""
    torch.manual_seed(0)
    critic = networks.Critic(32, dim=2).double()
    real, fake = torch.randn(2, 3, 32, 32).double(), torch.randn(2, 3, 32, 32).double()

    def value():
        return PENALTIES[name](critic, real, fake, seeded(1))

    value().backward()
    step = 1e-6
    for parameter in critic.parameters():
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        for at in torch.randint(parameter.numel(), (3,)).tolist():
            with torch.no_grad():
                flat = parameter.view(-1)
                kept = flat[at].item()
                flat[at] = kept + step
            above = value().item()
            with torch.no_grad():
                flat[at] = kept - step
            below = value().item()
            with torch.no_grad():
                flat[at] = kept
            assert gradient.view(-1)[at].item() == pytest.approx((above - below) / (2 * step), rel=1e-3, abs=1e-6)


def test_nothing_flows_to_the_generator():
    fake = torch.randn(2, 3, 4, 4, requires_grad=True)
    weight = torch.randn(3, 4, 4, requires_grad=True)
    penalties.wgan_gp(lambda x: (x * weight).square().sum((1, 2, 3)), torch.randn(2, 3, 4, 4), fake).backward()
    assert fake.grad is None
    assert weight.grad is not None


def test_a_flat_critic_gives_a_finite_gradient():
    """The norm has no derivative at zero."""
    weight = torch.zeros(3, 4, 4, requires_grad=True)
    x = torch.randn(2, 3, 4, 4)
    value = penalties.wgan_gp(lambda p: (p * weight).sum((1, 2, 3)), x, x)
    value.backward()
    assert value.item() == 1.0
    assert torch.isfinite(weight.grad).all()

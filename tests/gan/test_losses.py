import math

import pytest
import torch

from stages.gan.losses import LOSSES

REAL, FAKE = torch.tensor([2.0, -1.0]), torch.tensor([0.5, -3.0])


def log1pexp(x):
    return math.log1p(math.exp(x))


# Worked by hand from the papers' formulas: critic on real, critic on fake, generator on fake.
BY_HAND = {
    "gan": (
        (log1pexp(-2) + log1pexp(1)) / 2,
        (log1pexp(0.5) + log1pexp(-3)) / 2,
        (log1pexp(-0.5) + log1pexp(3)) / 2,
    ),
    "hinge_v1": ((0 + 2) / 2, (1.5 + 0) / 2, (0.5 + 4) / 2),
    "hinge_v2": ((0 + 2) / 2, (1.5 + 0) / 2, 1.25),
    "lsgan": ((1 + 4) / 2, (0.25 + 9) / 2, (0.25 + 16) / 2),
    "wgan": (-0.5, -1.25, 1.25),
}


@pytest.mark.parametrize("name", LOSSES)
def test_by_hand(name):
    loss = LOSSES[name]
    found = loss.real(REAL), loss.fake(FAKE), loss.generator(FAKE)
    assert [v.item() for v in found] == pytest.approx(BY_HAND[name], abs=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_directions(name):
    """The critic wants real up and fake down, the generator fake up."""
    loss = LOSSES[name]
    for part, score, sign in ((loss.real, 0.1, -1), (loss.fake, 0.1, 1), (loss.generator, 0.1, -1)):
        x = torch.tensor([score], requires_grad=True)
        part(x).backward()
        assert torch.sign(x.grad).item() == sign


def test_large_scores_stay_finite():
    for loss in LOSSES.values():
        for part in (loss.real, loss.fake, loss.generator):
            assert torch.isfinite(part(torch.tensor([1e4, -1e4])))

import pytest
import torch

from stages.gan import augment
from stages.gan.augment import AUGMENTS


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def pictures():
    return torch.rand(16, 3, 32, 32, generator=seeded()) * 2 - 1


@pytest.mark.parametrize("name", sorted(AUGMENTS))
def test_each_picture_is_changed_in_its_own_way_and_reproducibly(pictures, name):
    same = pictures[:1].expand(16, -1, -1, -1).contiguous()
    once, again = AUGMENTS[name](same, seeded(1)), AUGMENTS[name](same, seeded(1))
    assert torch.equal(once, again) and once.shape == same.shape
    assert len({tuple(one.flatten().tolist()) for one in once}) > 8
    assert not torch.equal(once, AUGMENTS[name](same, seeded(2)))


@pytest.mark.parametrize("name", sorted(AUGMENTS))
def test_the_gradient_flows_through(pictures, name):
    small = pictures[:2, :, :4, :4].double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: AUGMENTS[name](x, seeded(3)), small)


def test_shift_moves_whole_pictures_and_fills_with_grey(pictures):
    most = round(32 * augment.SHIFT)
    seen = set()
    for before, after in zip(pictures, augment.shift(pictures, seeded(5)), strict=True):
        moves = [(y, x) for y in range(-most, most + 1) for x in range(-most, most + 1) if _moved(before, after, y, x)]
        assert len(moves) == 1
        seen |= set(moves)
    assert len(seen) > 8


def _moved(before, after, y, x):
    wanted = torch.zeros_like(before)
    wanted[:, max(0, -y) : 32 - max(0, y), max(0, -x) : 32 - max(0, x)] = before[
        :, max(0, y) : 32 + min(0, y), max(0, x) : 32 + min(0, x)
    ]
    return torch.equal(wanted, after)


def test_cutout_blanks_a_square_and_nothing_else(pictures):
    for before, after in zip(pictures, augment.cutout(pictures, seeded(5)), strict=True):
        blank = (after == 0).all(0)
        rows, columns = blank.any(1), blank.any(0)
        assert torch.equal(blank, rows[:, None] & columns[None, :])
        assert 32 * augment.HOLE / 2 - 1 <= min(rows.sum(), columns.sum()) <= max(rows.sum(), columns.sum()) <= 17
        assert torch.equal(after[:, ~blank], before[:, ~blank])


def test_colour_keeps_shapes(pictures):
    """Each picture is changed by one affine map: what was equal stays equal, and grey stays grey."""
    grey = pictures.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    after = augment.colour(grey, seeded(5))
    assert torch.allclose(after[:, 0], after[:, 2], atol=1e-6)
    for a, b in zip(grey[:, 0].flatten(1), after[:, 0].flatten(1), strict=True):
        assert torch.corrcoef(torch.stack([a, b]))[0, 1] > 0.9999


def test_none_is_none(pictures):
    assert torch.equal(augment.augmented(pictures, ()), pictures)
    both = augment.augmented(pictures, ("shift", "cutout"), seeded(7))
    rng = seeded(7)
    assert torch.equal(both, augment.cutout(augment.shift(pictures, rng), rng))

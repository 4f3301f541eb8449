import pytest
import torch

from stages.gan.batch_sampler import BatchSampler


@pytest.mark.parametrize(("count", "batch"), [(10, 8), (3, 8), (1, 4), (8, 8), (151, 64)])
def test_every_picture_comes_equally_often(count, batch):
    dealt = BatchSampler(count, 0).deal(count * 4, batch)
    assert dealt.shape == (count * 4, batch)
    assert torch.bincount(dealt.flatten(), minlength=count).tolist() == [batch * 4] * count


def test_dealing_in_pieces_is_dealing_at_once_and_survives_a_stop():
    whole = BatchSampler(10, 3).deal(30, 8)
    first = BatchSampler(10, 3)
    pieces = [first.deal(7, 8)]
    second = BatchSampler(10, 99)
    second.restore(first.state())
    pieces += [second.deal(1, 8), second.deal(22, 8)]
    assert torch.equal(torch.cat(pieces), whole)

import pytest
import torch
from torch import nn

from stages.training import state

OPTIMIZERS = [torch.optim.Adam, torch.optim.Adagrad, lambda of: torch.optim.SGD(of, 0.1, momentum=0.9)]


def steps(network, optimizer, count, seed):
    pixels = torch.rand(count, 2, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    for batch in pixels:
        optimizer.zero_grad()
        network(batch).square().mean().backward()
        optimizer.step()
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def made(optimizer, seed):
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).to(memory_format=torch.channels_last)
    return network, optimizer(network.parameters())


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_another_pair_goes_on_from_a_state_as_if_it_were_the_first(optimizer):
    first, second = made(optimizer, 0), made(optimizer, 1)
    steps(*first, 3, seed=0)
    kept = {name: value.clone() for name, value in state.flat({"net": first[0]}, {"opt": first[1]}).items()}
    assert {name.split(".")[0] for name in kept} == {"net", "opt"}
    state.restore(kept, {"net": second[0]}, {"opt": second[1]})
    assert torch.equal(steps(*first, 3, seed=1), steps(*second, 3, seed=1))


def test_a_part_of_a_state_is_found_by_its_name():
    one = torch.ones(1)
    assert state.under("net", {"net.a.b": one, "network.c": one}) == {"a.b": one}

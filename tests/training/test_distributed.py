"""Two processes on this machine's CPU, through gloo."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from stages.gan import networks, trainer
from stages.gan.penalties import PENALTIES
from stages.gan.trainer import GanTraining
from stages.problem import Problem
from stages.training import checkpoint, distributed
from tests.helpers.small_gan import SMALL, pictures

PAIR = replace(SMALL, processes=2)


def gradients(workers, penalty):
    """Return, for a small critic on this process's share of eight pictures: both parts of the loss, and the penalty."""
    torch.manual_seed(0)
    critic = networks.Critic(32, dim=4)
    real, fake = (part[workers.rank :: workers.size] for part in torch.randn(2, 8, 3, 32, 32))
    points = (real + fake) / 2  # `wgan_gp` looks between its two arguments: here at one known point
    loss = critic(fake).mean() - critic(real).mean() + 10 * PENALTIES[penalty](critic, points, points)
    loss.backward()
    workers.average(critic.parameters())
    return [parameter.grad for parameter in critic.parameters() if parameter.grad is not None]


def normed(workers):
    """Return what a small batch norm makes of this process's share of eight pictures, its gradients and statistics."""
    torch.manual_seed(0)
    features, wanted = torch.randn(2, 8, 4, 6, 6) * 3 + 1
    norm = workers.joint_norms(torch.nn.Sequential(torch.nn.BatchNorm2d(4, momentum=0.01)))
    shares = [part[workers.rank :: workers.size] for part in (features.requires_grad_(), wanted)]
    made = norm(shares[0])
    (made * shares[1]).mean().backward()
    workers.average(norm.parameters())
    whole = torch.stack(workers.gather(made.detach()), 1).flatten(0, 1)
    back = torch.stack(workers.gather(features.grad)).mean(0)
    return [whole, back, *(p.grad for p in norm.parameters()), *norm.buffers(), norm.eval()(features).detach()]


def test_batch_norm_sees_the_whole_batch_whoever_has_it():
    alone, both = (distributed.run(size, normed) for size in (1, 2))
    assert all(torch.allclose(a, b, rtol=1e-4, atol=1e-6) for a, b in zip(alone, both, strict=True))


@pytest.mark.parametrize("penalty", ["none", "wgan-gp"])
def test_two_shares_give_the_gradient_of_the_whole_batch(penalty):
    alone, both = (distributed.run(size, partial(gradients, penalty=penalty)) for size in (1, 2))
    assert all(torch.allclose(a, b, rtol=1e-4, atol=1e-6) for a, b in zip(alone, both, strict=True))
    assert any(gradient.abs().max() > 1e-3 for gradient in both)


def train(workers, folder, watch=None):
    done = trainer.train(GanTraining(pictures(), PAIR, 0, folder, [4, 8, 12], watch=watch), workers)
    state = done.pair.state()
    weights = torch.cat([value.flatten() for name, value in state.items() if name.endswith("weight")])
    return state, workers.gather(weights)


def stop(step, *_):
    if step == 8:
        raise Problem("stopped here")


def test_both_end_with_the_same_weights_and_stopping_makes_no_difference(tmp_path):
    whole, weights = distributed.run(2, partial(train, folder=tmp_path / "a"))
    assert torch.equal(*weights)
    with pytest.raises(Problem, match="stopped here"):
        distributed.run(2, partial(train, folder=tmp_path / "b", watch=stop))
    assert checkpoint.steps(tmp_path / "b") == [4]
    resumed, _ = distributed.run(2, partial(train, folder=tmp_path / "b"))
    assert whole.keys() == resumed.keys() and all(torch.equal(whole[k], resumed[k]) for k in whole)
    assert not torch.equal(whole["rng.0"], whole["rng.1"])  # each draws its own latent vectors


@pytest.mark.skipif(torch.cuda.is_available(), reason="with a GPU the CPU's threads change no sum")
def test_the_number_of_threads_makes_no_difference(tmp_path):
    ends = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        work = partial(trainer.train, GanTraining(pictures(), SMALL, 0, tmp_path / str(threads), [SMALL.steps]))
        ends.append(distributed.run(1, work).pair.state())
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path):
    with pytest.raises(Problem, match=r"gan\.processes: 3 cannot share a batch of 4"):
        trainer.train(
            GanTraining(pictures(), replace(SMALL, processes=3), 0, tmp_path, [12]),
            distributed.WorkerGroup(torch.device("cpu"), size=3),
        )

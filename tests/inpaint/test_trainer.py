from dataclasses import replace

import pytest
import torch

from stages.inpaint import trainer
from stages.inpaint.inpainter import Inpainter, neighbourhoods
from stages.problem import Problem
from stages.training import checkpoint
from tests.helpers import kills
from tests.helpers.small_inpainter import SMALL, train


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def whole(inpainter, best, _rows):
    return inpainter.state() | {f"best.{name}": value for name, value in best.items()}


@pytest.mark.parametrize(
    "recipe",
    [
        *(replace(SMALL, network=network) for network in ("ae", "ae_skip", "gan", "ambient")),
        *(replace(SMALL, optimizer=optimizer) for optimizer in ("sgd", "adagrad")),
        *(replace(SMALL, loss=loss) for loss in ("ssim", "psnr")),
    ],
)
def test_same_seed_same_end_and_stopping_makes_no_difference(tmp_path, monkeypatch, recipe):
    end = train(tmp_path / "a", recipe)
    assert [row["step"] for row in end[2]] == [2, 4, 6, 8]
    assert ("critic_loss" in end[2][0]) == bool(recipe.critics)
    keep = checkpoint.keep

    def stop(folder, step, *rest):
        keep(folder, step, *rest)
        if step == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(checkpoint, "keep", stop)
        train(tmp_path / "b", recipe)
    torch.manual_seed(99)  # whatever else asks the global chance
    resumed = train(tmp_path / "b", recipe)
    assert same(whole(*end), whole(*resumed))
    assert end[2] == resumed[2]
    assert not same(whole(*end), whole(*train(tmp_path / "c", recipe, seed=1)))


def run_to_the_end(folder):
    train(folder, replace(SMALL, network="ambient", steps=100, patience=100))


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_with_the_same_weights(tmp_path):
    (whole, facts), (killed, again) = kills.ends(run_to_the_end, tmp_path, 6)
    assert same(whole, killed) and facts == again


def test_training_ends_when_held_out_images_gain_nothing_and_the_best_weights_are_kept(tmp_path, monkeypatch):
    losses = iter([0.5, 0.3, 0.4, 0.6, 0.1])
    seen = []

    def score(inpainter, _):
        seen.append({name: value.clone() for name, value in inpainter.network.state_dict().items()})
        return next(losses)

    monkeypatch.setattr(trainer, "_score", score)
    _, best, rows = train(tmp_path, replace(SMALL, steps=100, patience=2))
    assert [row["step"] for row in rows] == [2, 4, 6, 8]
    assert same(best, seen[1]) and not same(best, seen[3])
    train(tmp_path, replace(SMALL, steps=100, patience=2))  # started again: it has ended already
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"recipe": replace(SMALL, dropout=0.1)}, r"dropout: 0\.2, now 0\.1"),
        ({"seed": 5}, "seed"),
        ({"sources": "elsewhere"}, "sources"),
    ],
)
def test_other_settings_or_pictures_are_refused_until_told_to_start_afresh(tmp_path, change, said):
    train(tmp_path)
    with pytest.raises(Problem, match=said):
        train(tmp_path, **change)
    assert same(whole(*train(tmp_path, fresh=True, **change)), whole(*train(tmp_path / "clean", **change)))


def test_a_continued_run_takes_networks_and_optimisers(tmp_path):
    recipe = replace(SMALL, network="ambient")
    parent, _, _ = train(tmp_path / "parent", recipe)
    child, _, _ = train(tmp_path / "child", recipe, sources="parent", parent=parent.state())
    assert child.state()["optimizer.0.step"] == child.state()["critics_adam.0.step"] == 16
    assert not same(child.state(), train(tmp_path / "orphan", recipe)[0].state())


def test_a_loss_that_is_no_number_stops(tmp_path, monkeypatch):
    step = Inpainter.step

    def spoiled(self, *batch):
        with torch.no_grad():
            next(self.network.parameters()).fill_(float("nan"))
        return step(self, *batch)

    monkeypatch.setattr(Inpainter, "step", spoiled)
    with pytest.raises(Problem, match=r"step 2: a loss is no longer a number"):
        train(tmp_path)


@pytest.mark.parametrize("network", ["ae", "ae_skip", "gan", "ambient"])
def test_it_learns(tmp_path, network):
    """Held-out holes are filled better than after one step. How much better depends on seed and processor."""
    recipe = replace(SMALL, network=network, dropout=0.0)
    _, _, (begun,) = train(tmp_path / "begun", replace(recipe, steps=1, every=1))
    _, _, rows = train(tmp_path / "learnt", replace(recipe, steps=100, every=100))
    assert rows[-1]["held_out"] < 0.9 * begun["held_out"]


def test_a_neighbourhood_is_around_the_hole_and_inside_the_frame():
    pictures = torch.arange(64 * 64.0).view(1, 1, 64, 64).repeat(2, 3, 1, 1)
    holes = torch.zeros(2, 1, 64, 64, dtype=torch.bool)
    holes[0, 0, 20:31, 30:41] = True
    holes[1, 0, 60:, :2] = True
    made = neighbourhoods(pictures, holes)
    assert made.shape == (2, 3, 32, 32)
    assert torch.equal(made[0], pictures[0, :, 25 - 16 : 25 + 16, 35 - 16 : 35 + 16])
    assert torch.equal(made[1], pictures[1, :, 32:, :32])

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from stages.gan import trainer
from stages.gan.gan_pair import GanPair
from stages.gan.trainer import GanTraining
from stages.problem import Problem
from stages.training import checkpoint
from stages.training.distributed import WorkerGroup
from tests.helpers import kills
from tests.helpers.small_gan import SMALL, pictures

CPU = WorkerGroup(torch.device("cpu"))


def ended(folder, recipe=SMALL, seed=0, every=4, of=None, **more):
    stops = [*range(every, recipe.steps, every), recipe.steps]
    run = GanTraining(pictures() if of is None else of, recipe, seed, folder, stops, **more)
    done = trainer.train(run, CPU)
    return done.pair.state(), done.rows


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


@pytest.mark.parametrize(
    "recipe",
    [
        SMALL,
        replace(SMALL, precision="fp32"),
        replace(SMALL, average=0.9),
        replace(SMALL, augment=("colour", "shift", "cutout")),
        *(replace(SMALL, loss=loss, penalty=penalty) for loss, penalty in (
            ("gan", "none"), ("hinge_v1", "dragan"), ("hinge_v2", "wgan-gp"), ("lsgan", "none"))),
    ],
)  # fmt: skip
def test_same_seed_same_end_and_stopping_makes_no_difference(tmp_path, recipe):
    whole, rows = ended(tmp_path / "a", recipe)
    assert [row["step"] for row in rows] == [4, 8, 12]

    class Stop(Exception):
        pass

    def stop(step, *_):
        if step == 8:
            raise Stop

    with pytest.raises(Stop):
        ended(tmp_path / "b", recipe, watch=stop)
    resumed, again = ended(tmp_path / "b", recipe)
    assert same(whole, resumed)
    assert again == rows
    other, _ = ended(tmp_path / "c", recipe, seed=1)
    assert not same(whole, other)


def run_to_the_end(folder):
    ended(folder, replace(SMALL, steps=400), every=2)


@pytest.mark.slow
def test_killed_at_twenty_random_moments_it_ends_with_the_same_weights(tmp_path):
    """Whatever it is doing: stepping, writing a checkpoint, dropping an old one."""
    (whole, facts), (killed, again) = kills.ends(run_to_the_end, tmp_path, 20)
    assert same(whole, killed) and facts == again


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"recipe": replace(SMALL, lr=1e-3)}, "lr: 0.0002, now 0.001"),
        ({"seed": 5}, "seed"),
        ({"of": pictures(seed=9)}, "pictures"),
        ({"every": 6}, "stops"),
    ],
)
def test_other_settings_or_pictures_are_refused_until_told_to_start_afresh(tmp_path, change, said):
    ended(tmp_path)
    with pytest.raises(Problem, match=said):
        ended(tmp_path, **change)
    state, _ = ended(tmp_path, **change, fresh=True)
    (tmp_path / "clean").mkdir()
    assert same(state, ended(tmp_path / "clean", **change)[0])


def test_continuing_another_run_takes_both_networks_and_both_optimisers(tmp_path):
    parent, _ = ended(tmp_path / "parent")
    child, _ = ended(tmp_path / "child", of=pictures(seed=4), parent=parent)
    assert not same(parent, child)
    assert child["critic_adam.0.step"] == 24  # the optimisers go on counting
    orphan, _ = ended(tmp_path / "orphan", of=pictures(seed=4))
    assert not same(child, orphan)
    with pytest.raises(Problem, match="parent"):  # a declared parent is part of what a run is
        ended(tmp_path / "child", of=pictures(seed=4))


@pytest.mark.parametrize("other", [{"dim": 8}, {"size": 64}, {"z": 9}])
def test_a_parent_of_another_architecture_is_refused(tmp_path, other):
    recipe = replace(SMALL, steps=2, **other)
    parent, _ = ended(tmp_path / "parent", recipe, of=pictures(size=recipe.size))
    with pytest.raises(Problem, match="another architecture"):
        ended(tmp_path / "child", parent=parent)


@pytest.mark.parametrize(("count", "batch"), itertools.product((1, 3, 10), (1, 4, 16)))
def test_any_subset_with_any_batch(tmp_path, count, batch):
    recipe = replace(SMALL, batch=batch, steps=5)
    _, rows = ended(tmp_path, recipe, of=pictures(count), every=5)
    assert np.isfinite(list(rows[0].values())).all()


def test_a_truncated_checkpoint_is_passed_over_and_the_end_is_the_same(tmp_path, capsys):
    whole, _ = ended(tmp_path / "a")
    ended(tmp_path / "b")
    newest = tmp_path / "b" / "step_000000012" / "tensors.safetensors"
    newest.write_bytes(newest.read_bytes()[:100])
    assert same(whole, ended(tmp_path / "b")[0])
    assert "step_000000012 cannot be used" in capsys.readouterr().out


def test_a_loss_that_is_no_number_stops_with_the_last_good_checkpoint(tmp_path):
    def spoil(step, pair, *_):
        if step == 8:
            with torch.no_grad():
                next(pair.critic.parameters()).fill_(float("nan"))

    with pytest.raises(Problem, match=r"step 12: .*no longer a number.*step_000000008"):
        ended(tmp_path, watch=spoil)
    assert checkpoint.steps(tmp_path) == [4, 8]


@pytest.fixture
def collapsing(monkeypatch):
    """Return the run of a generator that is made to draw one and the same picture after step 20, in a folder."""
    monkeypatch.setattr(trainer, "SETTLED", 20)

    def freeze(step, pair, *_):
        if step == trainer.SETTLED:
            with torch.no_grad():
                for parameter in pair.generator.parameters():
                    parameter.zero_()

    recipe = replace(SMALL, steps=40)
    return lambda folder, watch=freeze: GanTraining(pictures(), recipe, 0, folder, [*range(4, 44, 4)], watch=watch)


def test_a_collapse_ends_the_run_there_and_is_told(tmp_path, collapsing):
    done = trainer.train(collapsing(tmp_path), CPU)
    assert done.collapsed and done.steps == 24
    assert checkpoint.steps(tmp_path)[-1] == 24
    assert done.reached([8, 20, 36, 40]) == [8, 20, 24]
    again = trainer.train(collapsing(tmp_path), CPU)  # killed before its weights were written down
    assert again.collapsed and again.rows == done.rows and same(again.pair.state(), done.pair.state())


def test_looking_for_a_collapse_changes_nothing(tmp_path, monkeypatch):
    """A run that is looked at from its first stop ends with the bits of one that is never looked at."""
    ends = []
    for looked in (0, SMALL.steps + 1):
        monkeypatch.setattr(trainer, "SETTLED", looked)
        ends.append(ended(tmp_path / str(looked)))
    (a, rows), (b, others) = ends
    assert same(a, b) and rows == others and rows[-1]["step"] == SMALL.steps


def test_it_learns(tmp_path):
    """Samples come nearer to the pictures' one colour. How near they come depends on seed and processor."""
    of = np.broadcast_to(np.array([230, 40, 40], np.uint8), (2, 32, 32, 3)).copy()
    of[1] //= 2
    colour = torch.from_numpy(of).float().mean((0, 1, 2)) / 127.5 - 1
    recipe = replace(SMALL, steps=160, critic_steps=2, lr=2e-3)
    latents = torch.randn(32, recipe.z, generator=torch.Generator().manual_seed(0))

    def away(pair):
        return (pair.draw(latents).mean((0, 2, 3)) - colour).abs().mean()

    done = trainer.train(GanTraining(of, recipe, 0, tmp_path, [160]), CPU)
    assert away(done.pair) < 0.8 * away(GanPair(recipe, 0, CPU))


def test_bad_pictures_are_refused(tmp_path):
    with pytest.raises(Problem, match="no pictures"):
        ended(tmp_path, of=pictures(0))
    with pytest.raises(Problem, match="do not fit"):
        ended(tmp_path, of=pictures(size=64))

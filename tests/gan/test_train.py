import re
from dataclasses import replace

import msgspec
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from stages import files, paths, settings
from stages.gan import compare, sample, train, trainer
from stages.gan.kept_generators import kept_name
from stages.gan.recipe import recipe_of, sampled_steps
from stages.gan.trainer import GanTraining
from stages.problem import Problem
from stages.training import run_facts, weights
from stages.training.distributed import WorkerGroup
from tests.helpers.checkouts import ROOT
from tests.helpers.projects import change, subset


def test_what_a_finished_experiment_leaves(project):
    folder = paths.GANS / "wgan_ten"
    facts = run_facts.read(folder)
    assert facts["sampled_steps"] == [32, 36, 40]
    assert {p.name for p in folder.iterdir()} == {
        "final.safetensors", "run.json", "film.jpg", "interpolation.jpg", "grids",
        *(f"step_0000000{step}.safetensors" for step in (32, 36, 40)),
    }  # fmt: skip
    assert sorted(p.name for p in (folder / "grids").iterdir()) == [f"step_0000000{k}.jpg" for k in (10, 20, 30, 40)]
    assert facts["recipe"]["loss"] == "wgan" and facts["recipe"]["steps"] == 40
    assert (facts["images"], facts["frame"]) == (10, [320, 180])
    assert not (paths.CHECKPOINTS / "gan" / "smoke" / "wgan_ten").exists()
    curves = (paths.PLOTS / "gan" / "wgan_ten.csv").read_text().splitlines()
    assert curves[0].startswith("step,critic_loss,wasserstein,penalty,accuracy_real,accuracy_fake")
    assert [line.split(",")[0] for line in curves[1:]] == ["10", "20", "30", "32", "36", "40"]
    timing = (paths.TIMING / "gan" / "wgan_ten.csv").read_text().splitlines()
    assert timing[0] == "step,images_per_second,memory_mb" and len(timing) == 7


def test_lineage_goes_through_the_parent(project):
    assert run_facts.read(paths.GANS / "wgan_transfer")["parents"] == ["data/subsets/other_ten", "data/subsets/ten"]
    assert run_facts.read(paths.GANS / "wgan_ten")["parents"] == ["data/subsets/ten"]


def test_a_child_starts_with_its_parent_s_networks_and_optimisers(project):
    parent, child = (weights.load(paths.GANS / name / weights.FINAL) for name in ("wgan_ten", "wgan_transfer"))
    assert (parent["critic_adam.0.step"], child["critic_adam.0.step"]) == (40, 80)


def test_the_last_kept_generator_is_the_final_one(project):
    kept = load_file(paths.GANS / "wgan_ten" / kept_name(40))
    final = weights.load(paths.GANS / "wgan_ten" / weights.FINAL)
    assert kept and all(torch.equal(value, final[f"generator.{name}"]) for name, value in kept.items())


def test_extra_pictures_are_trained_on(project, bins):
    """As wgan_feedback does with accepted fakes."""
    subset(bins, "bottle_azure", 3, project / "data/accepted/wgan_ten/best")
    change(project, {"experiments.wgan_ten.extra": "data/accepted/wgan_ten/best"})
    before = files.digest(paths.GANS / "wgan_ten" / weights.FINAL)
    train.main("wgan_ten")
    facts = run_facts.read(paths.GANS / "wgan_ten")
    assert facts["images"] == 13
    assert facts["parents"] == ["data/subsets/ten", "data/accepted/wgan_ten/best"]
    assert files.digest(paths.GANS / "wgan_ten" / weights.FINAL) != before


def test_other_settings_than_a_killed_run_s_are_refused_until_told_to_start_afresh(project, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    work = paths.CHECKPOINTS / "gan" / "smoke" / "wgan_ten"
    with monkeypatch.context() as patch:
        patch.setattr(trainer, "_sound", lambda row, step, *_: stop() if step == 20 else None)
        with pytest.raises(KeyboardInterrupt):
            train.main("wgan_ten")
    assert work.exists()
    before = files.digest(paths.GANS / "wgan_ten" / weights.FINAL)
    change(project, {"experiments.wgan_ten.penalty": "dragan"})
    with pytest.raises(Problem, match=r"penalty: wgan-gp, now dragan.*TENFOLD_FRESH=1"):
        train.main("wgan_ten")
    assert files.digest(paths.GANS / "wgan_ten" / weights.FINAL) == before  # what was there is untouched
    monkeypatch.setenv("TENFOLD_FRESH", "1")
    train.main("wgan_ten")
    assert run_facts.read(paths.GANS / "wgan_ten")["recipe"]["penalty"] == "dragan"


@pytest.mark.parametrize("harm", ["truncated", "missing", "pickle"])
def test_a_broken_parent_is_one_line(project, harm):
    path = paths.GANS / "wgan_ten" / weights.FINAL
    if harm == "truncated":
        path.write_bytes(path.read_bytes()[:1000])
    elif harm == "pickle":
        torch.save({"generator": torch.zeros(3)}, path)
    else:
        path.unlink()
    with pytest.raises(Problem, match=re.escape(str(path))):
        train.main("wgan_transfer")


def test_a_parent_of_another_size_is_one_line(project):
    facts = paths.GANS / "wgan_ten" / weights.FINAL
    change(project, {"scales.smoke.gan.dim": 8})
    assert facts.exists()
    with pytest.raises(Problem, match="the parent has another architecture"):
        train.main("wgan_transfer")


def test_an_unknown_experiment_is_one_line(project):
    with pytest.raises(Problem, match=r"there is no 'wgan'; params\.yaml has dcgan_group"):
        train.main("wgan")


@pytest.mark.parametrize(
    ("steps", "every", "grids", "sampled", "stops"),
    [
        (40, 10, 4, [32, 36, 40], [10, 20, 30, 32, 36, 40]),
        (7, 100, 3, [7], [2, 5, 7]),
        (1, 1, 10, [1], [1]),
        (100, 30, 2, [99], [30, 50, 60, 90, 99, 100]),
    ],
)
def test_where_training_stops(steps, every, grids, sampled, stops):
    found, drawn, kept = train.schedule(steps, every, grids, sampled)
    assert found == stops
    assert drawn <= set(stops) and kept == set(sampled) and steps in drawn


def test_a_collapse_is_a_result_that_later_stages_go_on_from(project, monkeypatch):
    monkeypatch.setattr(trainer, "SETTLED", 20)
    monkeypatch.setattr(trainer, "ALIKE", 10.0)  # anything is alike
    for name in ("wgan_ten", "wgan_transfer"):  # and a child goes on from a parent that has collapsed
        train.main(name)
        facts = run_facts.read(paths.GANS / name)
        assert facts["collapsed"] and facts["steps"] == 20 and facts["sampled_steps"] == [20]
        assert weights.load(paths.GANS / name / weights.FINAL)
        grids = sorted(path.name for path in (paths.GANS / name / "grids").iterdir())
        assert grids == ["step_000000010.jpg", "step_000000020.jpg"]
    sample.main("wgan_ten")
    manifest = (paths.CANDIDATES / "wgan_ten" / "manifest.csv").read_text().splitlines()
    assert len(manifest) == 1 + settings.load().now.candidates
    compare.main()
    assert files.read_json(paths.METRICS / "gan.json")["wgan_ten_steps"] == 20
    assert files.read_json(paths.METRICS / "gan.json")["wgan_ten_collapsed"] == 1
    assert files.read_json(paths.METRICS / "gan.json")["size_1_collapsed"] == 0
    assert "it collapsed at step 20" in (paths.REPORTS / "gan.html").read_text()


PARAMS = settings.load(ROOT / "params.yaml")


@pytest.mark.parametrize("experiment", PARAMS.experiments)
def test_every_experiment_of_params_trains(tmp_path, experiment):
    recipe = recipe_of(msgspec.structs.replace(PARAMS, scale="smoke"), experiment, 3)
    pixels = np.random.default_rng(0).integers(0, 256, (3, recipe.size, recipe.size, 3), np.uint8)
    done = trainer.train(
        GanTraining(pixels, replace(recipe, steps=5), 0, tmp_path, [5]), WorkerGroup(torch.device("cpu"))
    )
    assert np.isfinite(list(done.rows[0].values())).all()


def test_the_thesis_s_numbers():
    thesis = msgspec.structs.replace(PARAMS, scale="thesis")
    wanted = {
        "dcgan_group": (200_000, 64), "wgan_group": (200_000, 64), "wgan_ten": (50_000, 8),
        "wgan_transfer": (10_000, 8), "wgan_pretrain": (3_375_000, 8), "wgan_pretrained_ten": (50_000, 8),
        "wgan_feedback": (50_000, 8), "wgan_twenty": (100_000, 8),
    }  # fmt: skip
    recipes = {name: recipe_of(thesis, name, 10) for name in wanted}
    assert {name: (recipe.steps, recipe.batch) for name, recipe in recipes.items()} == wanted
    for recipe in recipes.values():
        assert (recipe.size, recipe.dim, recipe.z, recipe.lr, recipe.betas) == (256, 64, 128, 2e-4, (0.5, 0.999))
        assert (recipe.epsilon, recipe.penalty_weight, recipe.critic_steps) == (1e-7, 10, 5)
        assert not recipe.average and not recipe.augment  # which the thesis did not have
    sampled = {
        name: sampled_steps(PARAMS.experiments[name].sample_at, recipe.steps) for name, recipe in recipes.items()
    }
    assert sampled["wgan_ten"] == [40_000, 45_000, 50_000]  # of the generator: 8,000, 9,000, 10,000
    assert sampled["wgan_group"] == [100_000, 150_000, 200_000]
    assert sampled["wgan_twenty"] == [90_000, 95_000, 100_000]


@pytest.mark.parametrize("scale", ["demo", "thesis"])
def test_the_size_study_learns_for_equal_epochs(scale):
    """As its source does: 50,000, and 10,000 of a single image; or as many as the scale allows."""
    params = msgspec.structs.replace(PARAMS, scale=scale)
    images = {"size_1": 1, "size_3": 3, "size_10": 10, "size_100": 100, "size_all": 157, "size_all_groups_ten": 670}
    recipes = {name: recipe_of(params, name, count) for name, count in images.items()}
    epochs = {name: recipe.steps * recipe.batch / images[name] for name, recipe in recipes.items()}
    allowed = params.now.gan.most_epochs
    wanted = {name: min(allowed, 10_000 if name == "size_1" else 50_000) for name in images}
    assert epochs == pytest.approx(wanted, rel=0.01)
    assert [recipe.batch for recipe in recipes.values()] == [1, 3, 8, 8, 8, 8]
    assert recipe_of(params, "wgan_ten", 3).batch == 8  # what is told in steps keeps its batch


def test_the_thesis_s_parents():
    """4.4.1 goes on from 4.4, 4.4.2 from its pretraining, and 4.4.3 from 4.4.2."""
    thesis = ("wgan_ten", "wgan_transfer", "wgan_pretrain", "wgan_pretrained_ten", "wgan_feedback")
    assert {name: PARAMS.experiments[name].start for name in thesis} == {
        "wgan_ten": settings.NONE,
        "wgan_pretrain": settings.NONE,
        "wgan_transfer": "models/gan/wgan_ten",
        "wgan_pretrained_ten": "models/gan/wgan_pretrain",
        "wgan_feedback": "models/gan/wgan_pretrained_ten",
    }

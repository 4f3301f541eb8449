from dataclasses import replace

import pytest
import torch
from PIL import Image

from stages import files, paths, settings
from stages.gan import trainer, variants
from stages.problem import Problem
from stages.texture import train
from stages.texture.recipe import recipe_of
from stages.texture.spatial_gan import SpatialGan
from stages.training import run_facts, weights
from stages.training.distributed import WorkerGroup


def test_what_a_trained_texture_leaves(project):
    for name in ("floor", "label", "fused"):
        folder = paths.TEXTURES / name
        assert {path.name for path in folder.iterdir()} == {weights.GENERATOR, variants.CURVES, run_facts.FACTS}
        facts = run_facts.read(folder)
        assert (facts["parents"], facts["recipe"]["steps"], facts["pictures"]) == (["data/subsets/ten"], 20, 16)
        assert not (paths.CHECKPOINTS / "texture" / "smoke" / name).exists()
        with Image.open(paths.PLOTS / "texture" / f"{name}.jpg") as picture:
            assert picture.size == (3 * 96 + 2 * train.GAP, 96)


def test_only_a_regularised_one_has_an_encoder(project):
    encodes = {
        name: any("encoder" in key for key in weights.load(paths.TEXTURES / name / weights.GENERATOR))
        for name in ("floor", "label")
    }
    assert encodes == {"floor": False, "label": True}


def test_a_killed_run_ends_with_the_same_bytes(project, monkeypatch):
    """The regularised one, whose generator looks at what the critic has just seen."""
    path = paths.TEXTURES / "label" / weights.GENERATOR
    before = files.digest(path)

    def stop(_row, step, *_):
        if step == 20:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trainer, "_sound", stop)
        with pytest.raises(KeyboardInterrupt):
            train.main("label")
    assert (paths.CHECKPOINTS / "texture" / "smoke" / "label" / "step_000000010").exists()
    path.unlink()
    train.main("label")
    assert files.digest(path) == before


def test_the_regulariser_is_added_to_the_loss(project):
    """Both parts, each by its weight; an untrained generator is far from what is real."""
    pattern = replace(recipe_of(settings.load(), "label"), precision="fp32")

    def loss(metric, mode):
        pair = SpatialGan(replace(pattern, metric=metric, mode=mode), 0, WorkerGroup(torch.device("cpu")))
        pair.real = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
        return pair.generator_loss().item()

    assert loss(2, 1) - loss(1, 1) > 0.1
    assert loss(2, 1) - loss(1, 1) == pytest.approx(loss(1, 0) - loss(0, 1e-9), abs=1e-4)
    assert loss(1, 2) - loss(1, 1) == pytest.approx(loss(1, 1) - loss(1, 0), abs=1e-4)
    assert loss(1, 1) != pytest.approx(loss(1, 0), abs=1e-4)


def test_an_unknown_texture_is_one_line(project):
    with pytest.raises(Problem, match=r"there is no 'wall'; params\.yaml has floor, label, fused"):
        train.main("wall")

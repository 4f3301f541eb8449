import re

import msgspec
import pytest
from ruamel.yaml import YAML
from safetensors.torch import load_file

from stages import files, paths, settings
from stages.inpaint import fill, train
from stages.inpaint.recipe import recipe_of
from stages.problem import Problem
from stages.training import run_facts, weights
from tests.helpers.checkouts import ROOT
from tests.helpers.projects import change

RAW = YAML(typ="safe", pure=True).load(ROOT / "params.yaml")
PARAMS = settings.load(ROOT / "params.yaml")


def test_what_a_finished_run_leaves(project):
    folder = paths.INPAINTS / "inpaint_ambient"
    facts = run_facts.read(folder)
    assert {path.name for path in folder.iterdir()} == {fill.NETWORK, weights.FINAL, run_facts.FACTS}
    assert facts["recipe"]["network"] == "ambient" and facts["steps"] == 12
    assert facts["parents"] == ["data/subsets/ten", "data/subsets/rest"]
    assert facts["windows"] == {"train": 60, "held_out": 4}
    assert not (paths.CHECKPOINTS / "inpaint" / "smoke" / "inpaint_ambient").exists()
    curves = (paths.PLOTS / "inpaint" / "inpaint_ambient.csv").read_text().splitlines()
    assert curves[0] == "step,loss,critic_loss,adversarial,held_out"
    assert [line.split(",")[0] for line in curves[1:]] == ["4", "8", "12"]
    assert not fill.trained(folder).training
    assert any(name.startswith("critics.near.") for name in load_file(folder / weights.FINAL))


def test_a_finished_run_can_be_continued(project):
    """The optimisers go on counting, and lineage goes through the parent."""
    child = dict(RAW["inpaints"]["inpaint_ambient"])
    child |= {"start": "models/inpaint/inpaint_ambient", "extra": settings.NONE}
    change(project, {"inpaints.further": child})
    train.main("further")
    assert run_facts.read(paths.INPAINTS / "further")["parents"] == ["data/subsets/ten", "data/subsets/rest"]
    assert weights.load(paths.INPAINTS / "further" / weights.FINAL)["optimizer.0.step"] == 24
    change(project, {"inpaints.further.optimizer": "sgd"})
    with pytest.raises(Problem, match="cannot be continued: its optimizer is adam, here sgd is asked for"):
        train.main("further")


@pytest.mark.parametrize("harm", ["truncated", "missing"])
def test_broken_weights_are_one_line(project, harm):
    path = paths.INPAINTS / "inpaint_ambient" / fill.NETWORK
    if harm == "truncated":
        path.write_bytes(path.read_bytes()[:1000])
    else:
        path.unlink()
    with pytest.raises(Problem, match=re.escape(str(path))):
        fill.trained(path.parent)


def test_an_unknown_one_is_one_line(project):
    with pytest.raises(Problem, match=r"'inpaint'; params\.yaml has inpaint_ae"):
        train.main("inpaint")


def test_same_seed_same_bytes(project):
    before = files.fingerprint(paths.INPAINTS / "inpaint_ae_skip")
    train.main("inpaint_ae_skip")
    assert files.fingerprint(paths.INPAINTS / "inpaint_ae_skip") == before


def test_what_the_seed_names_is_there():
    thesis = msgspec.structs.replace(PARAMS, scale="thesis")
    critics = {"inpaint_ae": (), "inpaint_ae_skip": (), "inpaint_gan": ("whole",), "inpaint_ambient": ("whole", "near")}
    recipes = {name: recipe_of(thesis, name) for name in critics}
    assert {name: recipe.critics for name, recipe in recipes.items()} == critics
    assert [name for name, recipe in recipes.items() if recipe.incomplete] == ["inpaint_ambient"]
    assert {(r.loss, r.dropout, r.optimizer) for r in recipes.values() if not r.incomplete} == {("ssim", 0.2, "adam")}

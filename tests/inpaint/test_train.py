import re

import msgspec
import pytest
from safetensors.torch import load_file

from stages import files, paths, settings
from stages.inpaint import run, train
from stages.inpaint.recipe import recipe_of
from stages.problem import Problem
from tests.conftest import ROOT

PARAMS = settings.load(ROOT / "params.yaml")


def test_what_a_finished_run_leaves(project):
    folder = paths.INPAINTS / "inpaint_ambient"
    facts = run.facts(folder)
    assert {path.name for path in folder.iterdir()} == {run.NETWORK, run.FINAL, run.FACTS}
    assert facts["recipe"]["network"] == "ambient" and facts["steps"] == 12
    assert facts["parents"] == ["data/subsets/ten", "data/subsets/rest"]
    assert facts["windows"] == {"train": 60, "held_out": 4}
    assert not (paths.CHECKPOINTS / "inpaint" / "smoke" / "inpaint_ambient").exists()
    curves = (paths.PLOTS / "inpaint" / "inpaint_ambient.csv").read_text().splitlines()
    assert curves[0] == "step,loss,critic_loss,adversarial,held_out"
    assert [line.split(",")[0] for line in curves[1:]] == ["4", "8", "12"]
    assert not run.trained(folder).training
    assert any(name.startswith("critics.near.") for name in load_file(folder / run.FINAL))


def test_a_finished_run_can_be_continued(project):
    """The optimisers go on counting, and lineage goes through the parent."""
    text = (project / "params.yaml").read_text()
    head, block = text.split("  inpaint_ambient:", 1)
    child = block.split("\n\n", 1)[0].replace("start: data/subsets/ten", "start: models/inpaint/inpaint_ambient")
    child = child.replace("extra: data/subsets/rest", "extra: data/subsets/ten")
    (project / "params.yaml").write_text(f"{head}  further:{child}\n  inpaint_ambient:{block}")
    train.main("further")
    assert run.facts(paths.INPAINTS / "further")["parents"] == ["data/subsets/ten", "data/subsets/rest"]
    assert run.state(paths.INPAINTS / "further")["optimizer.0.step"] == 24
    edited = (project / "params.yaml").read_text().replace("optimizer: adam", "optimizer: sgd", 4)
    (project / "params.yaml").write_text(edited)
    with pytest.raises(Problem, match="cannot be continued: its optimizer is adam, here sgd is asked for"):
        train.main("further")


@pytest.mark.parametrize("harm", ["truncated", "missing"])
def test_broken_weights_are_one_line(project, harm):
    path = paths.INPAINTS / "inpaint_ambient" / run.NETWORK
    if harm == "truncated":
        path.write_bytes(path.read_bytes()[:1000])
    else:
        path.unlink()
    with pytest.raises(Problem, match=re.escape(str(path))):
        run.trained(path.parent)


def test_an_unknown_one_is_one_line(project):
    with pytest.raises(Problem, match=r"'inpaint'; params\.yaml has inpaint_ae"):
        train.main("inpaint")


def test_same_seed_same_bytes(project):
    before = files.fingerprint(paths.INPAINTS / "inpaint_ae_skip")
    train.main("inpaint_ae_skip")
    assert files.fingerprint(paths.INPAINTS / "inpaint_ae_skip") == before


def test_what_the_seed_names_is_there():
    thesis = msgspec.structs.replace(PARAMS, scale="thesis")
    recipes = {name: recipe_of(thesis, name) for name in thesis.inpaints}
    assert {name: recipe.critics for name, recipe in recipes.items()} == {
        "inpaint_ae": (), "inpaint_ae_skip": (), "inpaint_gan": ("whole",), "inpaint_ambient": ("whole", "near"),
    }  # fmt: skip
    assert [name for name, recipe in recipes.items() if recipe.incomplete] == ["inpaint_ambient"]
    assert {(r.loss, r.dropout, r.optimizer) for r in recipes.values() if not r.incomplete} == {("ssim", 0.2, "adam")}

import shutil

import pytest
import yaml

from flows import current_detectors, repository
from stages import paths
from tests.helpers.checkouts import ROOT, run

PIPELINE = """stages:
  product:
    cmd:
    - mkdir -p models/products/${products.focus}
    - echo ${products.focus} > models/products/${products.focus}/card.json
    params: [products.focus]
    outs: ["models/products/${products.focus}"]
"""


@pytest.fixture
def project(tmp_path):
    """A checkout with the one stage; `can` is in focus, and built."""
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    for name in (".gitignore", ".dvcignore"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    for command in (("git", "init", "-q", "-b", "main"), ("dvc", "init", "-q")):
        run(tmp_path, *command)
    run(tmp_path, "git", "add", "-A")
    run(tmp_path, "git", "commit", "-q", "-m", "begin")
    focus(tmp_path, "can")
    return tmp_path


def focus(project, name):
    """Build a product that has come into focus, and commit what git is to know of it."""
    (project / "params.yaml").write_text(yaml.safe_dump({"products": {"focus": name}}))
    changed = current_detectors.refocus(project, name)
    run(project, "dvc", "repro", "-q")
    repository.commit(project, name, "dvc.lock", "params.yaml", *changed)
    return changed


def cards(project):
    return {path.parent.name: path.read_text().strip() for path in (project / paths.RELEASED).glob("*/card.json")}


def test_a_detector_stays_in_use_when_another_product_comes_and_git_brings_both_back(project):
    assert focus(project, "spray") == ["models/products/can.dvc"]
    tracked = run(project, "git", "ls-files", "models").stdout.splitlines()
    assert tracked == ["models/products/can.dvc"]
    assert "up to date" in run(project, "dvc", "status").stdout
    shutil.rmtree(project / "models")
    run(project, "git", "checkout", "-q", ".")
    run(project, "dvc", "checkout", "-q")
    assert cards(project) == {"can": "can", "spray": "spray"}
    # Back again: of what is in focus the stage tells.
    assert focus(project, "can") == ["models/products/can.dvc", "models/products/spray.dvc"]
    assert run(project, "git", "ls-files", "models").stdout.splitlines() == ["models/products/spray.dvc"]
    assert cards(project) == {"can": "can", "spray": "spray"}
    assert current_detectors.refocus(project, "can") == []
    repository.commit(project, "drop", *current_detectors.drop(project, "spray"))
    assert not run(project, "git", "ls-files", "models").stdout
    assert not run(project, "git", "status", "--porcelain").stdout


def test_a_rollback_in_git_is_one_of_the_detectors(project):
    focus(project, "spray")
    run(project, "git", "revert", "--no-edit", "HEAD")
    run(project, "dvc", "checkout", "-q")
    assert "up to date" in run(project, "dvc", "status").stdout
    assert run(project, "git", "ls-files", "models").stdout == ""
    assert cards(project)["can"] == "can"


def test_where_nothing_has_been_built_there_is_nothing_to_keep(tmp_path):
    run(tmp_path, "git", "init", "-q")
    assert current_detectors.refocus(tmp_path, "spray") == []

"""Small pipelines of the real DVC: one of four stages, and one of the loop that an arrival goes through."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from flows import inbox
from stages import files, paths
from stages.dataset import coco
from tests.helpers.checkouts import ROOT, run
from tests.helpers.projects import subset

PIPELINE = """stages:
  left: {cmd: "sleep 1 && date +%s%N > left.begun && echo left > left", outs: [left]}
  right: {cmd: "date +%s%N > right.begun && sleep 2 && echo right > right", outs: [right]}
  both: {cmd: cat left right > both, deps: [left, right], outs: [both]}
  alone: {cmd: echo alone > alone, outs: [alone]}
"""
LOOP_GATE = """
import json, pathlib
from ruamel.yaml import YAML
params = YAML(typ='safe', pure=True).load(pathlib.Path('params.yaml'))
pathlib.Path('reports/metrics').mkdir(parents=True, exist_ok=True)
gate = {'promote_product': int(params['seed'] < 5), 'promote_product_why': 'it is ' + params['products']['focus']}
pathlib.Path('reports/metrics/gate.json').write_text(json.dumps(gate))
"""
LOOP = """stages:
  loop:
    cmd: sleep 1 && ls data/products/*/images > loop.txt
    deps: [data/products]
    params: [dataset.arrived, products.focus]
    outs: [loop.txt]
  evidence: {cmd: cp loop.txt evidence.txt, deps: [loop.txt], outs: [evidence.txt]}
  gate:
    cmd: python gate.py
    deps: [evidence.txt]
    params: [seed, products.focus]
    metrics: [{reports/metrics/gate.json: {cache: false}}]
  product:
    cmd: mkdir -p models/products/${products.focus} && cp evidence.txt models/products/${products.focus}/
    deps: [evidence.txt, reports/metrics/gate.json]
    params: [products.focus]
    outs: ["models/products/${products.focus}"]
  report: {cmd: echo page > reports/index.html, deps: [reports/metrics/gate.json], outs: [reports/index.html]}
  headline: {cmd: echo 1 > first.txt, deps: [reports/metrics/gate.json], outs: [first.txt]}
"""


@pytest.fixture
def pipeline(untouched_pipeline, tmp_path) -> Path:
    """A checkout with four stages: two that take a while, one that needs both, one that needs nothing."""
    return shutil.copytree(untouched_pipeline, tmp_path / "pipeline")


@pytest.fixture(scope="session")
def untouched_pipeline(tmp_path_factory) -> Path:
    return begun(tmp_path_factory.mktemp("untouched") / "pipeline")


def begun(folder: Path) -> Path:
    """Make the checkout of `pipeline`."""
    folder.mkdir()
    (folder / "dvc.yaml").write_text(PIPELINE)
    for command in (("git", "init", "-q", "-b", "main"), ("dvc", "init", "-q"), ("git", "add", "-A"),
                    ("git", "commit", "-qm", "x")):  # fmt: skip
        run(folder, *command)
    return folder


@pytest.fixture(scope="session")
def untouched_project(bins, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "reports").mkdir()
    yaml = YAML()
    params = yaml.load(ROOT / "params.yaml")
    params["scale"], params["arrival"]["least"], params["arrival"]["targets"] = "smoke", 4, ["loop"]
    yaml.dump(params, folder / "params.yaml")
    (folder / "dvc.yaml").write_text(LOOP)
    (folder / "gate.py").write_text(LOOP_GATE)
    (folder / ".gitignore").write_text((ROOT / ".gitignore").read_text() + "/loop.txt\n/evidence.txt\n/first.txt\n")
    shutil.copyfile(ROOT / ".dvcignore", folder / ".dvcignore")
    (folder / "data" / "products").mkdir(parents=True)
    (folder / "data" / "products" / ".gitkeep").touch()
    for command in (("git", "init", "-q", "-b", "main"), ("dvc", "init", "-q"), ("git", "add", "-A"),
                    ("git", "commit", "-qm", "Start")):  # fmt: skip
        run(folder, *command)
    dataset = coco.read(bins / "annotations.json")
    known = coco.subset(dataset, [i.id for i in dataset.images if not i.file_name.startswith("spray_night/")])
    coco.write(folder / paths.ANNOTATIONS, known)
    shutil.copytree(bins / "images", folder / paths.SOURCE_IMAGES)
    return folder


@pytest.fixture
def project(untouched_project, tmp_path) -> Path:
    """A checkout whose dataset is the bins world without one group, which then arrives."""
    return shutil.copytree(untouched_project, tmp_path / "tenfold", symlinks=True)


@pytest.fixture
def drop(bins, project):
    """Put the group into the queue, or something broken."""

    def put(name, *, whole=True):
        target = project / inbox.INCOMING / name
        subset(bins, "spray_night", 6, target)
        shutil.copytree(target / "images", target / "test" / "images")
        dataset = coco.read(target / "annotations.json")
        ids = [image.id for image in dataset.images]
        coco.write(target / "test" / "annotations.json", coco.subset(dataset, ids[4:]))
        coco.write(target / "annotations.json", coco.subset(dataset, ids[:4]))
        files.write(target / "product.yaml", "classes: []\n")
        if not whole:
            (target / "annotations.json").write_text("{")
        (target / "READY").touch()

    return put

"""A product arrives in a checkout."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from ruamel.yaml import YAML

from flows import inbox
from stages import files, paths
from stages.dataset import coco
from tests.helpers.checkouts import ROOT, flow, run
from tests.helpers.projects import subset

CODE = "from flows.arrivals import arrivals; arrivals(least_free_gb=0)"
COMMAND = "import sys; from flows import arrivals; sys.argv = ['arrivals', *{}]; sys.exit(arrivals.main())"
WHO = {"GIT_AUTHOR_NAME": "Tester", "GIT_AUTHOR_EMAIL": "t@example.org",
       "GIT_COMMITTER_NAME": "Tester", "GIT_COMMITTER_EMAIL": "t@example.org"}  # fmt: skip
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


def checkout(bins: Path, folder: Path) -> Path:
    """Make a checkout whose dataset is the bins world without one group, and whose loop takes a second."""
    (folder / "reports").mkdir(parents=True)
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


def drop(bins: Path, project: Path, name: str, *, whole: bool = True) -> None:
    """Put that group into a checkout's queue, or something broken."""
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


def begin(project: Path) -> None:
    """Run the loop once as it is, and commit what it leaves: what products come onto."""
    text = (project / "dvc.yaml").read_text()
    (project / "dvc.yaml").write_text(text.replace("ls data/products/*/images", "ls data/products"))
    run(project, "dvc", "repro", "-q")
    run(project, "git", "add", "dvc.lock", "dvc.yaml", "reports/metrics")
    run(project, "git", "commit", "-qm", "Begin")


def started(project: Path, server: dict[str, str], *arguments: str) -> subprocess.Popen:
    """A process that looks into the queue; with arguments, one that is that command of an operator's."""
    return flow(project, server, COMMAND.format(list(arguments)) if arguments else CODE, **WHO)


def arrive(project, server):
    return started(project, server).communicate(timeout=240)[0]


def git(project, *arguments):
    return run(project, "git", *arguments).stdout.strip()

"""The pipeline as it is declared: what dvc.yaml says of its stages, and what their code says."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from typing import get_args, get_type_hints

import pytest
import yaml
from dvc.repo import Repo
from ruamel.yaml import YAML

from stages import code_dependencies
from stages.schema import Composition
from tests.helpers.checkouts import ROOT
from tests.helpers.projects import change

TEXT = (ROOT / "dvc.yaml").read_text()
DVC = yaml.safe_load(TEXT)
PARAMS = YAML(typ="safe", pure=True).load(ROOT / "params.yaml")
HOUSE = (ROOT / "docs" / "architecture.md").read_text()
# In the order in which data walks through them.
ROOMS = re.findall(r"^\| `(\w+)/` \|", HOUSE.partition("The rooms of `stages/`")[2], re.M)
MOST = 8  # arguments of a function
ARM = {"subset": "other_ten", "fakes": "data/none", "ratio": 0, "known": "data/none",
       "start": "data/none", "labelled": "data/none"}  # fmt: skip


def declared() -> dict[str, dict]:
    """Every stage as it is written, without its `foreach`."""
    return {name: entry.get("do", entry) for name, entry in DVC["stages"].items()}


def test_the_code_of_every_stage_is_listed_as_it_is_imported():
    assert code_dependencies.written(TEXT, ROOT) == TEXT, "dvc.yaml lists other code than is run: `make deps`"


def test_a_list_is_written_anew_and_all_else_stays():
    stale = TEXT.replace("    - stages/dataset/source.py\n", "    - stages/dataset/gone.py\n")
    assert stale != TEXT and code_dependencies.written(stale, ROOT) == TEXT


def test_a_composition_s_stage_names_its_own_module_and_what_all_of_them_import():
    code = {d for d in declared()["compose"]["deps"] if d.startswith("stages/")}
    hows = get_args(get_type_hints(Composition)["how"])
    assert "stages/compose/${item.how}.py" in code and "stages/compose/floors.py" in code
    assert not code & {f"stages/compose/{how}.py" for how in hows}
    assert all((ROOT / "stages" / "compose" / f"{how}.py").is_file() for how in hows)


@pytest.mark.parametrize(
    ("edited", "stages"),
    [
        ("detector/metrics.py", {"detector_test", "evidence", "gate", "product", "report"}),
        ("gan/compare.py", {"gan_compare", "thesis", "report"}),
        ("settings.py", set()),
    ],
)
def test_an_edit_restales_what_runs_the_code_and_nothing_else(edited, stages):
    assert {name for name, of in declared().items() if f"stages/{edited}" in of["deps"]} == stages


@pytest.mark.parametrize("edited", ["gan/augment.py", "gan/trainer.py"])
def test_an_edit_to_how_gans_train_restales_trainings_and_nothing_else(edited):
    found = {name: of for name, of in declared().items() if f"stages/{edited}" in of["deps"]}
    assert found.keys() >= {"gan", "texture", "object_gan"}
    assert all(of.get("meta") == {"gpu": True} for of in found.values())


def test_what_may_compute_on_a_gpu_has_one_to_itself():
    """All but those that import such code and do not run it, or run it on the processor's cores."""
    able = {name: of for name, of in declared().items() if "stages/gpu.py" in of["deps"]}
    without = {name for name, of in able.items() if of.get("meta") != {"gpu": True}}
    assert without == {"compose", "accepted_composed", "report", "thesis"}
    assert not [name for name, of in declared().items() if of.get("meta") and name not in able]


def test_no_stage_that_compares_gans_depends_on_compositions():
    assert "data/candidates" not in declared()["gan_compare"]["deps"]


def test_plots_of_all_gans_show_every_experiment():
    assert code_dependencies.plotted(TEXT, PARAMS["experiments"]) == TEXT, "not every GAN is plotted: `make deps`"
    plots = {name: plot for entry in DVC["plots"] if isinstance(entry, dict) for name, plot in entry.items()}
    one_more = yaml.safe_load(code_dependencies.plotted(TEXT, [*PARAMS["experiments"], "new"]))["plots"]
    for name, column in (("gan_speed", "images_per_second"), ("gan_memory", "memory_mb")):
        of = {f"reports/timing/gan/{experiment}.csv": column for experiment in PARAMS["experiments"]}
        assert plots[name]["y"] == of
        assert {name: plots[name] | {"y": of | {"reports/timing/gan/new.csv": column}}} in one_more


@pytest.mark.parametrize("stage", sorted(DVC["stages"].keys() - {"health"}))
def test_a_stage_can_enter_the_run_cache(stage):
    """DVC leaves stages out that have uncached outputs which are neither metrics nor plots."""
    assert all(isinstance(out, str) for out in declared()[stage].get("outs", []))


def test_every_arm_is_upstream_of_the_evidence(tmp_path):
    """Whatever product it is of."""
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    change(tmp_path, {"arms.planted": ARM | {"product": "other", "augment": "plain"}})
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], cwd=tmp_path, check=True)
    with Repo(str(tmp_path)) as repo:
        graph = {stage.name: stage for stage in repo.index.graph if hasattr(stage, "name")}
        for last in ("evidence", "gate", "product", "report", "headline"):
            needed = {stage.name for stage in upstream(repo.index.graph, graph[last])}
            assert {f"arm@{name}" for name in [*PARAMS["arms"], "planted"]} <= needed, last


def upstream(graph, stage) -> set:
    found, todo = set(), [stage]
    while todo:
        if (now := todo.pop()) not in found:
            found.add(now)
            todo += list(graph.successors(now))
    return found


def test_rooms_import_from_upstream_only():
    rooms = {path.parent.name for path in (ROOT / "stages").glob("*/__init__.py")}
    assert sorted(ROOMS) == sorted(rooms - {"__pycache__"})
    for path in (ROOT / "stages").glob("*/**/*.py"):
        room = path.relative_to(ROOT / "stages").parts[0]
        for other in imported_rooms(path.read_text()):
            assert ROOMS.index(other) <= ROOMS.index(room), f"{path} imports {other}, which is downstream"


def imported_rooms(code: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {parts[1] for name in found if (parts := name.split("."))[0] == "stages" and parts[1] in ROOMS}


@pytest.mark.parametrize(
    "code", ["from stages import files, report", "import stages.report.index", "from stages.report import index"]
)
def test_every_way_to_import_a_room_is_seen(code):
    assert imported_rooms(f"def f():\n    {code}") == {"report"}


def test_every_shared_module_is_named_where_the_house_is_described():
    described = HOUSE[HOUSE.index("Beside the rooms") : HOUSE.index("## How data walks")]
    shared = {path.name for path in (ROOT / "stages").glob("*.py")} - {"__init__.py"}
    assert set(re.findall(r"`(\w+\.py)`", described)) == shared


def test_ultralytics_stays_in_its_room():
    for path in (ROOT / "stages").rglob("*.py"):
        if "detector" not in path.parts:
            assert not re.search(r"^\s*(from|import) ultralytics", path.read_text(), re.M), path


def test_no_stage_imports_what_takes_seconds_before_it_has_checked_its_settings():
    """Torch alone takes more than a second, ultralytics two: each of some eighty stages is a process of its own."""
    modules = code_dependencies.modules(TEXT)
    assert {"stages.gan.train", "stages.compose.paste", "stages.report.index"} <= {*modules}
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    importlib.import_module(name)\n"
        "    heavy = {'torch', 'ultralytics', 'albumentations'} & sys.modules.keys()\n"
        "    assert not heavy, f'{name} imports {heavy}'\n"
    )
    subprocess.run([sys.executable, "-c", code, *modules], cwd=ROOT, check=True)


def test_only_settings_reads_params():
    for path in (ROOT / "stages").rglob("*.py"):
        reads = re.search(r"YAML\(|yaml\.(safe_)?load|settings\.PARAMS", path.read_text())
        assert not reads or path.name in ("settings.py", "plain_yaml.py"), path  # the latter: what others wrote


def test_functions_take_few_arguments():
    """What takes more belongs into one object."""
    for path in [*(ROOT / "stages").rglob("*.py"), *(ROOT / "flows").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                count = len(node.args.posonlyargs + node.args.args + node.args.kwonlyargs)
                assert count <= MOST, f"{path}:{node.lineno} {node.name} takes {count} arguments"


def test_a_class_s_name_stands_for_one_class():
    found: dict[str, list[str]] = {}
    for path in [*(ROOT / "stages").rglob("*.py"), *(ROOT / "flows").rglob("*.py")]:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert not {name: places for name, places in found.items() if len(places) > 1}

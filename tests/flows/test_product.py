"""`make product`: a folder of somebody's own photographs, and ten that cannot be used."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from flows import inbox, product
from stages import files, paths, settings
from stages.dataset import arrival, coco
from stages.problem import Problem
from tests.helpers.arriving import WHO, git
from tests.helpers.checkouts import ROOT, becomes, environment, run
from tests.helpers.projects import change, smoke, subset


@pytest.fixture(scope="session")
def drawn(bins, tmp_path_factory) -> Path:
    """Six photographs of one product and a COCO file, as an annotation tool leaves them."""
    folder = tmp_path_factory.mktemp("drawn") / "My Photos"
    subset(bins, "spray_night", 6, folder)
    return folder


@pytest.fixture
def photographs(drawn, tmp_path) -> Path:
    return shutil.copytree(drawn, tmp_path / drawn.name)


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A checkout's folder, as far as refusing goes."""
    folder = tmp_path / "tenfold"
    folder.mkdir()
    smoke(folder)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(product, "ready", lambda _: None)
    return folder


def edit(folder: Path, change) -> None:
    path = folder / "annotations.json"
    raw = json.loads(path.read_text())
    change(raw)
    path.write_text(json.dumps(raw))


def first(folder: Path) -> Path:
    return next((folder / "images").rglob("*.png"))


def empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def twice(folder: Path) -> None:
    shutil.copy(folder / "annotations.json", folder / "one.json")
    (folder / "annotations.json").rename(folder / "two.json")


def names_clash(raw: dict) -> None:
    used = next(of for of in raw["categories"] if of["id"] == raw["annotations"][0]["category_id"])
    raw["categories"].append({"id": 99, "name": used["name"]})
    raw["annotations"][1]["category_id"] = 99


def three(raw: dict) -> None:
    del raw["images"][3:]


def of_others(raw: dict) -> None:
    for image in raw["images"]:
        image["file_name"] = f"other_{Path(image['file_name']).name}"


WRONG = {
    "empty": (empty, "no annotations found; looked for COCO"),
    "without annotations": (lambda folder: (folder / "annotations.json").unlink(), "no annotations found"),
    "two annotation files": (twice, "one.json, two.json: which is it"),
    "no JSON": (lambda folder: (folder / "annotations.json").write_text("{"), "not JSON"),
    "an image missing": (lambda folder: first(folder).unlink(), "is missing"),
    "a broken image": (lambda folder: first(folder).write_bytes(b"broken"), "not a whole picture"),
    "class names clash": (lambda folder: edit(folder, names_clash), "two categories have the name"),
    "annotations of other images": (lambda folder: edit(folder, of_others), "other_.* is missing"),
    "no objects": (lambda folder: edit(folder, lambda raw: raw["annotations"].clear()), "show no object at all"),
    "three photographs": (lambda folder: edit(folder, three), "3 training images; at least 5 are needed"),
    "no folder": (shutil.rmtree, "no such folder"),
    "a wrong size": (lambda folder: edit(folder, lambda raw: raw["images"][0].update(width=7)), "7"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_folder_that_cannot_be_used_is_one_line_and_leaves_nothing(wrong, photographs, here):
    spoil, said = WRONG[wrong]
    spoil(photographs)
    with pytest.raises(Problem, match=said) as problem:
        product.main(str(photographs))
    assert "\n" not in str(problem.value)
    assert not list((here / inbox.INCOMING).glob("*")) and not inbox.read(here)


def test_a_name_that_cannot_be_a_product_s_is_one_line(photographs, here):
    for name in ("Big Mug", "../mug", str(here.parent / "mug"), "m" * 300):
        with pytest.raises(Problem, match=f"{name}: give the product a name of small letters"):
            product.main(str(photographs), name)
    assert sorted(path.name for path in here.parent.iterdir()) == [photographs.name, here.name]


@pytest.fixture
def taken(here, monkeypatch):
    """What is gone on with, in place of the loop."""
    taken = []
    monkeypatch.setattr(product, "made", lambda checkout, of, means: taken.append(of))
    return taken


def test_photographs_become_a_real_arrival_once_and_findings_come_first(photographs, here, taken, capsys):
    edit(photographs, lambda raw: raw["annotations"].append(raw["annotations"][0] | {"id": 10**6}))
    for _ in range(2):  # the second time as after a kill
        with pytest.raises(Problem, match="my_photos: claimed: ; the same command goes on"):
            product.main(str(photographs))
    said = capsys.readouterr().out
    assert said.index("1 × Objects annotated twice") < said.index("ten_standard, paste; alone")
    assert "warm" not in said
    assert [of.name for of in taken] == ["my_photos", "my_photos"] and taken[0] == taken[1]
    folder = here / taken[0].folder
    assert len(coco.read(folder / "annotations.json").images) == 6
    assert YAML(typ="safe").load(folder / "product.yaml")["real"] is True
    assert not list((here / inbox.INCOMING).glob("*"))


def test_classes_that_look_like_numbers_are_classes(photographs, tmp_path):
    edit(photographs, lambda raw: raw["categories"][0].update(name="08"))
    asked = product.turned(photographs, "screws", tmp_path / "here")
    assert "08" in arrival.about(asked.folder).classes


def test_what_somebody_else_puts_into_the_queue_stays_there(photographs, here, taken):
    theirs = here / inbox.INCOMING / "my_photos" / "images" / "mine.png"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"half copied")
    with pytest.raises(Problem, match="my_photos waits to be taken, with other photographs"):
        product.main(str(photographs))
    assert theirs.read_bytes() == b"half copied" and not taken


def test_mended_photographs_take_the_place_of_earlier_ones_unless_these_are_in_use(photographs, here, taken):
    for _ in range(2):
        with pytest.raises(Problem, match="the same command goes on"):
            product.main(str(photographs), "mug")
        edit(photographs, lambda raw: raw["annotations"].pop())
    assert [of.state for of in inbox.read(here)] == ["rolled back", "claimed"]
    assert taken[0].content != taken[1].content == inbox.read(here)[1].content
    inbox.mark(here, taken[1], "promoted")
    with pytest.raises(Problem, match=r"mug is in use already, with other photographs: .*rollback mug.*NAME="):
        product.main(str(photographs), "mug")
    assert [of.state for of in inbox.read(here)] == ["rolled back", "promoted"]


def test_the_user_s_known_products_are_used(photographs, here, taken, bins, capsys):
    change(here, {"dataset.source": "coco", "dataset.fixes": []})
    dataset = coco.read(bins / "annotations.json")
    mine = [i.id for i in dataset.images if i.file_name.startswith("tube_mint/")]
    coco.write(here / paths.ANNOTATIONS, coco.subset(dataset, mine))
    shutil.copytree(bins / "images", here / paths.SOURCE_IMAGES)
    with pytest.raises(Problem, match="the same command goes on"):
        product.main(str(photographs))
    assert "warm_paste; beside the known products tube_mint" in capsys.readouterr().out


def test_a_broken_image_of_the_known_products_is_one_line(photographs, here, taken, bins):
    change(here, {"dataset.source": "coco", "dataset.fixes": []})
    coco.write(here / paths.ANNOTATIONS, coco.read(bins / "annotations.json"))
    with pytest.raises(Problem, match=r"the dataset that there is cannot be used .*missing.*dvc repro health"):
        product.main(str(photographs))
    assert not taken


@pytest.mark.parametrize("spoil", ["branch", "change"])
def test_what_could_not_be_committed_in_the_end_is_said_at_the_beginning(spoil, project, photographs, monkeypatch):
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(project)
    if spoil == "branch":
        git(project, "checkout", "-qb", "elsewhere")
    else:
        (project / "gate.py").write_text("")
    with pytest.raises(Problem, match="not on main" if spoil == "branch" else "changes of its own"):
        product.main(str(photographs))


@pytest.mark.slow
def test_one_command_makes_a_detector_of_a_single_product_and_a_killed_one_goes_on(checkout, bins, tmp_path):
    folder = checkout("alone")
    change(folder, {"scales.smoke.evidence.seeds": 1, "scales.smoke.composed": 2})
    for place in ("reports/metrics/detector_test.json", "reports/plots/detector_test/contact_sheet.jpg"):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / place, folder / place)  # which every clone has
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "Less of all")
    subset(bins, "can_cobalt", 6, tmp_path / "mug")
    command = (sys.executable, "-m", "flows.product", str(tmp_path / "mug"))
    killed = subprocess.Popen(command, cwd=folder, env=environment(folder), start_new_session=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    assert becomes(lambda: (folder / ".worktrees" / "mug" / paths.HEALTH).exists(), 300)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    said = run(folder, *command).stdout
    made = folder / paths.RELEASED / "mug"
    assert {"detector.pt", "detector.onnx", "card.json", "page.html"} <= {path.name for path in made.iterdir()}
    assert said.splitlines()[-3:] == [
        "page:    models/products/mug/page.html",
        "weights: models/products/mug/detector.pt, models/products/mug/detector.onnx",
        "try it:  make detect PHOTOS=my_photographs PRODUCT=mug",
    ]
    (of,) = inbox.read(folder)
    assert of.state in ("promoted", "left")
    params = settings.load(folder / settings.PARAMS)
    assert params.dataset.source == ("arrived" if of.state == "promoted" else "bins")
    assert files.read_json(made / "card.json")["trained_on"]["other_products"] == {}

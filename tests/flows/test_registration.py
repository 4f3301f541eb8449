import difflib

import pytest

from flows import registration
from flows.registration import Alone
from stages import settings
from stages.dataset import coco
from tests.helpers.checkouts import ROOT

TEXT = (ROOT / "params.yaml").read_text()


def test_a_product_is_entered_and_all_else_stays_as_it_was(tmp_path):
    path = tmp_path / "params.yaml"
    text = (ROOT / "params.yaml").read_text()
    path.write_text(text)
    registration.register(path, "can_new")
    registration.register(path, "can_new")  # again, after a kill
    lines = difflib.ndiff(text.splitlines(), path.read_text().splitlines())
    changed = [line.split("#")[0].rstrip() for line in lines if line[0] in "+-"]
    assert changed == [
        "-   arrived: []", "+   arrived:", "+   - can_new",
        "- products: {focus: tube_mint, other: bottle_azure, apart: [mixed]}",
        "+ products: {focus: can_new, other: bottle_azure, apart: [mixed]}",
    ]  # fmt: skip
    assert settings.load(path).products.focus == "can_new"
    assert registration.focus(path.read_text()) == "can_new"


def test_a_real_product_takes_the_built_in_world_s_place_and_joins_those_of_its_user(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(TEXT)
    registration.register(path, "mug", real=True)
    registration.register(path, "cup", real=True)
    params = settings.load(path)
    assert (params.dataset.source, params.dataset.arrived, params.dataset.fixes) == ("arrived", ["mug", "cup"], [])
    assert (params.products.focus, params.products.other, params.subsets["ten"].count) == ("cup", None, "all")
    path.write_text(TEXT.replace("source: bins ", "source: coco "))
    registration.register(path, "mug", real=True)
    mine = settings.load(path)
    assert mine.dataset.source == "coco" and mine.products.other == "bottle_azure"


def test_pictures_are_as_large_as_the_only_product_needs_and_as_they_were_where_there_are_others(tmp_path):
    path, small = tmp_path / "params.yaml", Alone(imgsz=416, crop=96, tested=False)
    path.write_text(TEXT)
    registration.register(path, "mug", real=True, alone=small)
    now = settings.load(path).now
    assert (now.evidence.imgsz, now.judge.imgsz, now.judge.size, now.evidence.seeds) == (416, 320, 224, 1)
    assert now.evidence.crop == now.judge.crop == 96
    registration.register(path, "cup", real=True, alone=Alone(imgsz=640, crop=96, tested=False))
    assert settings.load(path).now == now
    before = settings.load(ROOT / "params.yaml").now
    path.write_text(TEXT)
    registration.register(
        path, "mug", real=True, alone=Alone(imgsz=32, crop=96, tested=True)
    )  # large objects: none the smaller
    assert settings.load(path).now == before
    path.write_text(TEXT)
    registration.register(path, "can_new", alone=small)  # beside the built-in world's
    assert settings.load(path).now == before


@pytest.mark.parametrize("names", [["can_new"], ["can_new", "can_other"]])
def test_a_product_that_is_taken_out_leaves_the_file_as_it_was(tmp_path, names):
    path = tmp_path / "params.yaml"
    text = (ROOT / "params.yaml").read_text()
    path.write_text(text)
    for name in names:
        registration.register(path, name)
    for name in names:
        registration.unregister(path, name, text)
        assert name not in settings.load(path).dataset.arrived
    assert path.read_text() == text


def test_without_its_last_real_product_the_built_in_world_is_there_again(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(TEXT)
    before = settings.load(path)
    registration.register(path, "mug", real=True, alone=Alone(imgsz=416, crop=96, tested=False))
    alone = path.read_text()
    registration.register(path, "cup", real=True)
    registration.unregister(path, "cup", alone)
    assert path.read_text() == alone
    registration.unregister(path, "mug", TEXT)
    assert settings.load(path) == before


def test_a_product_is_a_group_of_its_own_where_another_takes_all_the_rest(tmp_path):
    path = tmp_path / "params.yaml"
    text = TEXT.replace("groups: {}", 'groups: {rest: ["*"]}')
    path.write_text(text)
    registration.register(path, "can_new")
    groups = settings.load(path).dataset.groups
    assert coco.group_of(coco.Image(1, "can_new/1.png", 4, 4), groups) == "can_new"
    assert coco.group_of(coco.Image(2, "1.png", 4, 4), groups) == "rest"
    registration.unregister(path, "can_new", text)
    assert settings.load(path).dataset.groups == {"rest": ["*"]}

from dataclasses import replace

import msgspec
import pytest

from stages import files, paths, settings
from stages.dataset import coco
from stages.evidence import study_runs
from stages.evidence.study_runs import Run
from stages.schema import NONE
from tests.helpers.checkouts import ROOT

PARAMS = settings.load(ROOT / "params.yaml")


@pytest.fixture(scope="module")
def tubes(bins):
    """All photographs of a product."""
    dataset = coco.read(bins / "annotations.json")
    return coco.subset(dataset, [i.id for i in dataset.images if coco.group_of(i, {}) == "tube_mint"][:24])


@pytest.fixture(autouse=True)
def project(bins, tmp_path, monkeypatch):
    """A folder with the project's code, photographs and their split."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stages").symlink_to(ROOT / "stages")
    dataset = coco.read(bins / "annotations.json")
    paths.ANNOTATIONS.parent.mkdir(parents=True)
    coco.write(paths.ANNOTATIONS, dataset)
    ids = [image.id for image in dataset.images]
    files.write_json(paths.SPLIT, {"train": ids[::2], "val": [], "test": ids[1::2]})


def test_the_plan_has_every_arm_at_ten_a_curve_and_what_all_photographs_give():
    wanted = list(study_runs.plan(PARAMS, dict.fromkeys(PARAMS.now.study.products, 105)))
    assert len(set(wanted)) == len(wanted)
    first = [run for run in wanted if (run.product, run.draw) == ("can_cobalt", 0) and run.choice == "random"]
    counts = {name: sorted(run.count for run in first if run.arm == name) for name in PARAMS.study.arms}
    assert counts["paste"] == [1, 3, 5, 10, 20, 50]
    assert counts["ten_standard"] == counts["warm_ten"] == [1, 3, 5, 10, 20, 50, 105]
    assert counts["mosaic"] == [10]
    assert {run.choice for run in wanted if run.arm == "paste"} == {"random", "separated", "crowded"}
    compared = [run for run in wanted if run.choice == "random" and run.count in (10, 105)]
    assert set(wanted[: len(compared)]) == set(compared)  # before the curve
    for part in (compared, wanted[len(compared) :]):
        assert [run.draw for run in part] == sorted(run.draw for run in part)


def test_a_product_with_few_photographs_has_a_shorter_curve():
    wanted = study_runs.plan(PARAMS, dict.fromkeys(PARAMS.now.study.products, 8))
    assert {run.count for run in wanted if run.arm == "ten_standard"} == {1, 3, 5, 8}


def test_fewer_photographs_of_a_draw_are_among_more_of_it_and_draws_differ(tubes):
    def names(choice, count, draw):
        return [i.file_name for i in study_runs.picked(Run("tube_mint", "paste", choice, count, draw), tubes).images]

    assert names("random", 3, 1) == names("random", 10, 1)[:3]
    assert names("random", 10, 0) != names("random", 10, 1)
    assert names("separated", 10, 0) == names("separated", 10, 1)
    objects = {image.file_name: len(of) for image, of in zip(tubes.images, coco.by_image(tubes).values(), strict=True)}
    few, many = (sum(objects[name] for name in names(choice, 10, 0)) for choice in ("separated", "crowded"))
    assert many > 1.5 * few


def mark(tubes, params=PARAMS, **changes):
    run = replace(Run("tube_mint", "paste", "random", 10, 0), **changes)
    return study_runs.mark(run, tubes, params)


def test_a_mark_changes_with_what_a_run_is_made_of(tubes):
    evidence = msgspec.structs.replace(PARAMS.evidence, known=0.123)
    warm = msgspec.structs.replace(PARAMS, evidence=evidence)
    real = msgspec.structs.replace(PARAMS, evidence=msgspec.structs.replace(PARAMS.evidence, real=0.123))
    study = msgspec.structs.replace(PARAMS.now.study, steps=7)
    longer = msgspec.structs.replace(PARAMS, scales=PARAMS.scales | {PARAMS.scale: msgspec.structs.replace(
        PARAMS.now, study=study)})  # fmt: skip
    more = msgspec.structs.replace(PARAMS.now.study, seeds=9, counts=[2], products=["tube_mint"])
    wider = msgspec.structs.replace(PARAMS, scales=PARAMS.scales | {PARAMS.scale: msgspec.structs.replace(
        PARAMS.now, study=more)})  # fmt: skip
    first = mark(tubes)
    assert first == mark(tubes) == mark(tubes, warm) == mark(tubes, wider)
    others = [mark(tubes, draw=1), mark(tubes, arm="classic"), mark(tubes, real), mark(tubes, longer)]
    fewer = coco.subset(tubes, [image.id for image in tubes.images[:20]])
    others.append(mark(fewer))
    assert len({first, *others}) == 6
    assert mark(tubes, arm="warm_ten") != mark(tubes, warm, arm="warm_ten")
    assert mark(tubes, real, arm="ten") == mark(tubes, arm="ten")  # which mixes nothing


def test_a_mark_changes_with_what_a_run_is_tested_on_and_with_the_other_products(tubes):
    before = {arm: mark(tubes, arm=arm) for arm in ("ten_standard", "paste", "warm_ten")}
    split = files.read_json(paths.SPLIT)
    others = [i.id for i in coco.read(paths.ANNOTATIONS).images if not i.file_name.startswith("tube_mint/")]
    gone = next(id_ for id_ in split["train"] if id_ in others)
    files.write_json(paths.SPLIT, split | {"train": [id_ for id_ in split["train"] if id_ != gone]})
    changed = {arm for arm, mark_ in before.items() if mark(tubes, arm=arm) != mark_}
    assert changed == {"paste", "warm_ten"}  # the one learns from them how objects lie
    files.write_json(paths.SPLIT, split | {"test": split["test"][3:]})
    assert mark(tubes) != before["paste"]


def test_comments_and_docstrings_make_nothing_anew(tmp_path):
    plain, said, other = (tmp_path / f"{name}.py" for name in ("plain", "said", "other"))
    plain.write_text("def f(x):\n    return x + 1\n")
    said.write_text('"""A module."""\n\n\ndef f(x):\n    """Return more."""\n    return x + 1  # one more\n')
    other.write_text("def f(x):\n    return x + 2\n")
    assert study_runs.meaning(plain) == study_runs.meaning(said) != study_runs.meaning(other)


def test_rows_are_kept_one_a_line_in_order_each_scale_by_itself():
    rows = study_runs.read("tube_mint", "demo")
    assert rows == {}
    for name in ("b", "a"):
        study_runs.keep("tube_mint", "demo", rows, {"name": name, "map50_95": 0.5})
    study_runs.keep("tube_mint", "demo", rows, {"name": "b", "map50_95": 0.75})
    lines = (study_runs.FOLDER / "demo" / "tube_mint.jsonl").read_text().splitlines()
    assert [line[:11] for line in lines] == ['{"name":"a"', '{"name":"b"']
    assert study_runs.read("tube_mint", "demo")["b"]["map50_95"] == 0.75
    assert study_runs.read("tube_mint", "smoke") == {}


def test_without_known_products_no_arm_goes_on_from_these():
    wanted = list(study_runs.plan(PARAMS, dict.fromkeys(PARAMS.now.study.products, 30), known=False))
    assert wanted and not [run for run in wanted if PARAMS.arms[run.arm].known != NONE]

import copy
import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from stages import settings
from stages.problem import Problem
from stages.schema import NONE
from tests.helpers.checkouts import ROOT

TEXT = (ROOT / "params.yaml").read_text()
RAW = YAML(typ="safe", pure=True).load(TEXT)
COMPOSITION, ARM = RAW["compositions"]["paste"], RAW["arms"]["ten"]
GONE = object()


def test_every_scale_is_valid():
    params = settings.load(ROOT / "params.yaml")
    assert set(params.scales) == {"smoke", "demo", "thesis"}
    assert params.now is params.scales[params.scale]


def test_thesis_has_its_own_numbers():
    thesis = settings.load(ROOT / "params.yaml").scales["thesis"]
    assert sum(thesis.bins.images.values()) == 2151
    assert len(thesis.bins.images) == 15
    assert (thesis.bins.width, thesis.bins.height) == (1280, 720)
    assert (thesis.detector.model, thesis.detector.imgsz, thesis.detector.epochs, thesis.detector.batch) == (
        "yolov5x", 256, 100, 16,
    )  # fmt: skip


def test_file_is_kept_as_its_writer_writes_it():
    """Programs that edit params.yaml (DVC, the flows) change only the line they mean."""
    assert settings.written(YAML().load(TEXT)) == TEXT


def test_it_stays_short_and_says_none_once():
    """Whatever number of entries the tables have."""
    assert len(TEXT.splitlines()) - sum(len(RAW[table]) for table in settings.TABLES) <= 176  # 250 with today's
    for table in ("experiments", "inpaints", "compositions", "arms"):
        for name, entry in RAW[table].items():
            assert f"data/subsets/{entry['subset']}" not in entry.values(), (table, name)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("scale", "huge", ["scale: 'huge'", "smoke, demo, thesis"]),
        ("scale", 3, ["scale", "3", "str"]),
        ("seed", -1, ["seed", "-1", ">= 0"]),
        ("seed", 2**31, ["seed", str(2**31), "<= 2147483647"]),
        ("seed", 10**25, ["a number of more than 19 digits"]),
        ("arrival.review_minutes", 1e300, ["arrival.review_minutes", "1e+300", "<= 500000"]),
        ("sede", 0, ["sede", "unknown key", "seed"]),
        ("dataset.source", "bin", ["dataset.source", "'bin'", "expected one of bins, coco"]),
        ("dataset.few_instances", "ten", ["dataset.few_instances", "'ten'", "int"]),
        ("dataset.fixes", [{"do": "recolour", "annotation": 1}], ["dataset.fixes.0.do", "'recolour'"]),
        ("dataset.fixes", [{"do": "drop"}], ["dataset.fixes.0", "image, annotation"]),
        ("dataset.fixes", [{"do": "reclassify", "annotation": 1}], ["dataset.fixes.0", "category id"]),
        ("split.train", 0.8, ["split", "train + val + test = 1"]),
        ("split.train", GONE, ["split.train", "missing"]),
        ("subsets.five.prefer", "nice", ["subsets.five.prefer", "'nice'"]),
        ("subsets.ten.count", 0, ["subsets.ten.count", "0"]),
        ("subsets.Five!", {}, ["Five!"]),
        ("scales.demo.detector.imgsz", 200, ["scales.demo.detector.imgsz", "200", "32"]),
        ("scales.smoke.detector.lr", "fast", ["scales.smoke.detector.lr", "'fast'", "float"]),
        ("scales.smoke.detector.augment.mosaik", 0, ["scales.smoke.detector.augment", "mosaik", "hsv_h"]),
        ("scales.smoke.bins.images.tube_mint", -30, ["scales.smoke.bins.images", "-30", ">= 0"]),
        ("scales.smoke.yolo.size", [128], ["scales.smoke.yolo.size", "[128]", "int"]),
        ("experiments.wgan_ten.subset", "eleven", ["experiments.wgan_ten.subset", "'eleven'", "ten_of_every"]),
        ("experiments.wgan_ten.start", "models/gan/wgan", ["experiments.wgan_ten.start", "models/gan/wgan", NONE]),
        ("experiments.wgan_ten.start", "models/gan/wgan_ten", ["experiments.wgan_ten.start", "models/gan/wgan_group"]),
        ("experiments.wgan_ten.extra", "data/more", ["experiments.wgan_ten.extra", "'data/more'", NONE]),
        ("experiments.wgan_group.loss", "w", ["experiments.wgan_group.loss", "'w'"]),
        ("experiments.wgan_group.penalty", "gp", ["experiments.wgan_group.penalty", "'gp'"]),
        ("experiments.dcgan_group.batch", 0, ["experiments.dcgan_group.batch", "0", ">= 1"]),
        ("experiments.dcgan_group.sample_at", [0.5, 1.75], ["experiments.dcgan_group.sample_at", "1.75"]),
        ("experiments.wgan_ten.augment", ["color"], ["experiments.wgan_ten.augment", "'color'"]),
        ("scales.demo.gan.size", 48, ["scales.demo.gan.size", "48"]),
        ("scales.smoke.gan.precision", "fp8", ["scales.smoke.gan.precision", "'fp8'"]),
        ("textures.fused.sources", ["wall"], ["textures.fused.sources", "'wall'", "floor, label"]),
        ("textures.label.metric", -1, ["textures.label.metric", "-1", ">= 0"]),
        ("textures.label.mode", GONE, ["textures.label.mode", "missing"]),
        ("scales.demo.texture.size", 65, ["scales.demo.texture.size", "65"]),
        ("object_gans.object_gan.subset", "tin", ["object_gans.object_gan.subset", "'tin'"]),
        ("scales.demo.objects.size", 48, ["scales.demo.objects.size", "48"]),
        ("gan.betas", [0.5], ["gan.betas"]),
        ("inpaints.inpaint_ae.extra", "data/subsets/group", ["inpaints.inpaint_ae.extra", "data/subsets/but_focus"]),
        ("inpaints.inpaint_ae.start", "models/inpaint/inpaint_ae", ["inpaints.inpaint_ae.start", "inpaint_gan"]),
        ("inpaints.inpaint_ae.network", "vae", ["inpaints.inpaint_ae.network", "'vae'"]),
        ("inpaints.inpaint_ae.holes", [], ["inpaints.inpaint_ae.holes", "[]", ">= 1"]),
        ("inpaints.inpaint_ae.optimizer", "adamw", ["inpaints.inpaint_ae.optimizer", "'adamw'"]),
        ("scales.smoke.inpaint.size", 48, ["scales.smoke.inpaint.size", "48"]),
        ("compositions.paste.subset", "eleven", ["compositions.paste.subset", "'eleven'", "ten_of_every"]),
        ("compositions.paste.how", "glue", ["compositions.paste.how", "'glue'", "deconstruct"]),
        ("compositions.wgan_ten", dict(COMPOSITION), ["compositions.wgan_ten", "another experiment has this name"]),
        ("compositions.paste.objects", "models/texture/floor", [
            "compositions.paste.objects", "'models/texture/floor'", "data/none, models/objects/object_gan"]),
        ("compositions.paste.floor", "models/texture/flour", [
            "compositions.paste.floor", "'models/texture/flour'", "models/inpaint/inpaint_ambient"]),
        ("compositions.paste_other.floor", "models/texture/floor", ["compositions.paste_other.floor", "data/none"]),
        ("compositions.deconstruct.floor", "models/texture/floor", ["compositions.deconstruct.floor", "inpaint_gan"]),
        ("compositions.classic.floor", "models/texture/floor", ["compositions.classic.floor", "expected one of data/"]),
        ("arrival.generators", ["deconstruct"], ["arrival.generators", "'deconstruct'", "classic"]),
        ("arms.paste.fakes", "data/accepted/past", ["arms.paste.fakes", "'data/accepted/past'", "data/accepted/paste"]),
        ("arms.paste.ratio", 0, ["arms.paste.ratio", "0", "expected 0 without fakes, more with them"]),
        ("arms.warm_ten.start", "models/detector/other/known", ["arms.warm_ten.start", "models/detector/focus/known"]),
        ("arms.ten.augment", "mosaics", ["arms.ten.augment", "'mosaics'", "standard, copy_paste, mosaic"]),
        ("arms.judge", dict(ARM), ["arms.judge", "another detector has this name"]),
        ("augmentations.plain.copy_paste", 2, ["augmentations.plain.copy_paste", "2", "<= 1"]),
        ("study.arms", ["wgan_ten"], ["study.arms", "'wgan_ten'", "ten_standard"]),
        ("study.curve", ["all"], ["study.curve", "'all'", "ten_standard"]),
        ("study.choices", ["near"], ["study.choices", "'near'"]),
        ("scales.demo.study.products", ["bottle_azure"], ["scales.demo.study.products", "settings are chosen on it"]),
        ("scales.demo.study.products", ["a", "a"], ["scales.demo.study.products", "each product once"]),
        ("scales.demo.study.products", [], ["scales.demo.study.products", "[]", ">= 1"]),
        ("feedback.labellers", "all", ["feedback.labellers", "'all'", "paste"]),  # it has seen what is to be labelled
        ("arms.all.labelled", "data/labelled/focus", ["arms.all.labelled", "data/labelled/focus", NONE]),
        ("arms.paste.labelled", "data/labelled/focus", ["arms.paste.labelled", "data/labelled/focus", NONE]),
        ("evidence.primary", "paste_other", ["evidence.primary", "'paste_other'", "warm_paste"]),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_one_clear_line(tmp_path, key, value, said):
    raw = copy.deepcopy(RAW)
    *way, last = key.split(".")
    place = raw
    for part in way:
        place = place[part]
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    (tmp_path / "params.yaml").write_text(json.dumps(raw))  # which is YAML, too
    with pytest.raises(Problem) as problem:
        settings.load(tmp_path / "params.yaml")
    line = str(problem.value)
    assert "\n" not in line
    assert "params.yaml" in line
    for part in said:
        assert part in line, line


def test_none_is_a_folder_in_git_that_no_entry_s_parent_is():
    assert settings.named_folder(NONE) is None and settings.named_folder("data/subsets/ten") == Path("data/subsets/ten")
    assert [path.name for path in (ROOT / NONE).iterdir()] == [".gitkeep"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "NoneType"),
        ("- a\n", "list"),
        ("a: [", "not YAML"),
        ("a: 1\na: 2\n", "not YAML"),
        ("a: 2001-99-99\n", "not YAML"),
        ("a: " + "[" * 2000, "nested too deeply"),
        ("a: !!bool x", "is not YAML"),
    ],
)
def test_what_is_not_params_at_all(tmp_path, text, said):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(Problem, match=said) as problem:
        settings.load(path)
    assert "\n" not in str(problem.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(Problem, match=r"params\.yaml is not here"):
        settings.load(tmp_path / "params.yaml")


def test_numbers_are_read_as_dvc_reads_them(tmp_path):
    """YAML 1.1 takes 2e-3 for a word."""
    path = tmp_path / "params.yaml"
    assert "lr: 0.004" in TEXT
    path.write_text(TEXT.replace("lr: 0.004", "lr: 4e-3", 1))
    assert settings.load(path).scales["smoke"].detector.lr == 0.004

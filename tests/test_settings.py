import difflib
import io

import pytest
from ruamel.yaml import YAML

from stages import settings
from stages.problem import Problem
from tests.conftest import ROOT

TEXT = (ROOT / "params.yaml").read_text()
INPAINT = "extra: data/subsets/rest\n    start: data/subsets/ten\n    network: ae\n"  # of inpaint_ae


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
    yaml = YAML()
    written = io.StringIO()
    yaml.dump(yaml.load(TEXT), written)
    assert written.getvalue() == TEXT


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("\nscale: demo\n", "\nscale: huge\n", ["scale: 'huge'", "smoke, demo, thesis"]),
        ("\nscale: demo\n", "\nscale: 3\n", ["scale", "3", "str"]),
        ("\nseed: 0\n", "\nseed: -1\n", ["seed", "-1", ">= 0"]),
        ("\nseed: 0\n", "\nsede: 0\n", ["sede", "unknown key", "seed"]),
        ("  source: bins ", "  source: bin ", ["dataset.source", "'bin'"]),
        ("  few_instances: 10 ", "  few_instances: ten ", ["dataset.few_instances", "'ten'", "int"]),
        ("  - do: reclassify ", "  - do: recolour ", ["dataset.fixes.0.do", "'recolour'"]),
        ("    image: 40006\n", "", ["dataset.fixes.0", "image, annotation"]),
        ("    to: 3\n", "", ["dataset.fixes.0", "category id"]),
        ("  train: 0.7\n", "  train: 0.8\n", ["split", "train + val + test = 1"]),
        ("  train: 0.7\n", "", ["split.train", "missing"]),
        ("separated, fewer: false}\n  ten", "nice, fewer: false}\n  ten", ["subsets.five.prefer", "'nice'"]),
        ("  ten: {group: focus, count: 10", "  ten: {group: focus, count: 0", ["subsets.ten.count", "0"]),
        ("  five: {", "  Five!: {", ["Five!"]),
        ("      imgsz: 192\n", "      imgsz: 200\n", ["scales.demo.detector.imgsz", "200", "32"]),
        ("      lr: 0.004\n", "      lr: fast\n", ["scales.smoke.detector.lr", "'fast'", "float"]),
        ("        mosaic: 0\n", "        mosaik: 0\n", ["scales.smoke.detector.augment", "mosaik", "hsv_h"]),
        ("tube_mint: 30", "tube_mint: -30", ["scales.smoke.bins.images", "-30", ">= 0"]),
        ("subset: other_ten\n", "subset: eleven\n", ["experiments.wgan_transfer.subset", "'eleven'", "ten_of_every"]),
        ("start: models/gan/wgan_ten\n", "start: models/gan/wgan\n", [
            "experiments.wgan_transfer.start", "'models/gan/wgan'", "data/subsets/other_ten"]),
        ("extra: data/subsets/other_ten\n", "extra: data/more\n", ["experiments.wgan_transfer.extra", "'data/more'"]),
        ("    loss: wgan\n", "    loss: w\n", ["experiments.wgan_group.loss", "'w'"]),
        ("    penalty: wgan-gp\n", "    penalty: gp\n", ["experiments.wgan_group.penalty", "'gp'"]),
        ("    batch: 64\n", "    batch: 0\n", ["experiments.dcgan_group.batch", "0", ">= 1"]),
        ("sample_at: [0.5, 0.75, 1.0]", "sample_at: [0.5, 1.75]", ["experiments.dcgan_group.sample_at", "1.75"]),
        ("augment: [colour, shift, cutout]", "augment: [color]", ["experiments.wgan_augmented_ten.augment", "'color'"]),
        ("      size: 64\n      dim: 32\n", "      size: 48\n      dim: 32\n", ["scales.demo.gan.size", "48"]),
        ("      precision: bf16\n", "      precision: fp8\n", ["scales.smoke.gan.precision", "'fp8'"]),
        ("sources: [floor, label]", "sources: [wall]", ["textures.fused.sources", "'wall'"]),
        ("    metric: 10\n", "    metric: -1\n", ["textures.label.metric", "-1", ">= 0"]),
        ("    mode: 0.2\n", "", ["textures.label.mode", "missing"]),
        ("texture: {size: 64", "texture: {size: 65", ["scales.demo.texture.size", "65"]),
        ("  object_gan:\n    subset: ten\n",
         "  object_gan:\n    subset: tin\n", ["object_gans.object_gan.subset", "'tin'"]),
        ("objects: {size: 64", "objects: {size: 48", ["scales.demo.objects.size", "48"]),
        ("  betas: [0.5, 0.999]", "  betas: [0.5]", ["gan.betas"]),
        (INPAINT, INPAINT.replace("rest", "group"), [
            "inpaints.inpaint_ae.extra", "'data/subsets/group'", "data/subsets/but_focus"]),
        (INPAINT, INPAINT.replace("start: data/subsets/ten", "start: models/inpaint/inpaint_ae"), [
            "inpaints.inpaint_ae.start", "models/inpaint/inpaint_gan"]),
        ("    network: ae\n", "    network: vae\n", ["inpaints.inpaint_ae.network", "'vae'"]),
        ("    holes: [block, objects]\n", "    holes: []\n", ["inpaints.inpaint_ae.holes", "[]", ">= 1"]),
        ("    optimizer: adam\n", "    optimizer: adamw\n", ["inpaints.inpaint_ae.optimizer", "'adamw'"]),
        ("      size: 64\n", "      size: 48\n", ["scales.smoke.inpaint.size", "48"]),
        ("    subset: ten\n    objects: data", "    subset: eleven\n    objects: data", [
            "pastes.paste.subset", "'eleven'", "ten_of_every"]),
        ("  generators: [paste]\n", "  generators: [glue]\n", ["arrival.generators", "'glue'", "paste_five, classic"]),
        ("  classic: {", "  paste: {", ["classics.paste", "another experiment has this name"]),
        ("deconstructs:\n  deconstruct:", "deconstructs:\n  paste:", ["deconstructs.paste", "another experiment has"]),
        ("    objects: models/objects/object_gan\n", "    objects: models/texture/floor\n", [
            "pastes.paste_generated.objects", "'models/texture/floor'", "data/subsets/ten, models/objects/object_gan"]),
        ("    floor: models/texture/floor\n", "    floor: models/texture/flour\n", [
            "pastes.paste_textured.floor", "'models/texture/flour'", "models/inpaint/inpaint_ambient"]),
        ("  deconstruct:\n    product: focus\n    subset: ten\n    floor: data/subsets/ten",
         "  deconstruct:\n    product: focus\n    subset: ten\n    floor: models/texture/floor", [
            "deconstructs.deconstruct.floor", "'models/texture/floor'"]),
        ("yolo: {size: 128", "yolo: {size: [128]", ["scales.smoke.yolo.size", "[128]", "int"]),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_one_clear_line(tmp_path, old, new, said):
    assert old in TEXT
    path = tmp_path / "params.yaml"
    path.write_text(TEXT.replace(old, new, 1))
    with pytest.raises(Problem) as problem:
        settings.load(path)
    line = str(problem.value)
    assert "\n" not in line
    assert "params.yaml" in line
    for part in said:
        assert part in line, line


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "NoneType"), ("- a\n", "list"), ("a: [", "not YAML"), ("a: 1\na: 2\n", "not YAML")],
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
    path.write_text(TEXT.replace("      lr: 0.004\n", "      lr: 4e-3\n", 1))
    assert settings.load(path).scales["smoke"].detector.lr == 0.004


def test_a_product_is_entered_and_all_else_stays_as_it_was(tmp_path):
    path = tmp_path / "params.yaml"
    text = (ROOT / "params.yaml").read_text()
    path.write_text(text)
    settings.register(path, "can_new")
    settings.register(path, "can_new")  # again, after a kill
    lines = difflib.ndiff(text.splitlines(), path.read_text().splitlines())
    changed = [line.split("#")[0].rstrip() for line in lines if line[0] in "+-"]
    assert changed == [
        "-   arrived: []", "+   arrived:", "+   - can_new", "-   focus: tube_mint", "+   focus: can_new",
    ]  # fmt: skip
    assert settings.load(path).products.focus == "can_new"
    assert settings.focus(path.read_text()) == "can_new"


@pytest.mark.parametrize("names", [["can_new"], ["can_new", "can_other"]])
def test_a_product_that_is_taken_out_leaves_the_file_as_it_was(tmp_path, names):
    path = tmp_path / "params.yaml"
    text = (ROOT / "params.yaml").read_text()
    path.write_text(text)
    for name in names:
        settings.register(path, name)
    for name in names:
        settings.unregister(path, name, "tube_mint")
        assert name not in settings.load(path).dataset.arrived
    assert path.read_text() == text

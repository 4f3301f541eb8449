"""All stages, run at scale smoke through the real `dvc`: what they leave, and what DVC makes of it."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

from stages import files, paths
from tests.helpers import kills
from tests.helpers.checkouts import KEPT, ROOT, environment, run
from tests.helpers.projects import change

DECLARED = YAML(typ="safe", pure=True).load(ROOT / "params.yaml")


def test_every_contract_is_there(done):
    for path in (
        paths.SOURCE_ANNOTATIONS, paths.SPLIT, paths.YOLO / "data.yaml", paths.DETECTORS / "baseline/best.pt",
        paths.METRICS / "detector_test.json", paths.REPORTS / "health.json", paths.REPORTS / "health.html",
        paths.PLOTS / "detector/baseline.csv", paths.PLOTS / "detector_test/contact_sheet.jpg",
        paths.GANS / "wgan_transfer/run.json", paths.GANS / "wgan_transfer/final.safetensors",
        paths.CANDIDATES / "wgan_transfer/manifest.csv", paths.PLOTS / "gan/wgan_transfer.csv",
        paths.TEXTURES / "floor/run.json", paths.PLOTS / "texture/floor.jpg", paths.OBJECTS / "object_gan/run.json",
        paths.INPAINTS / "inpaint_ambient/network.safetensors", paths.PLOTS / "inpaint/inpaint_ae_skip.csv",
        paths.METRICS / "inpaint.json", paths.PLOTS / "inpaint_compare/sides.jpg",
        paths.CANDIDATES / "paste/annotations.json", paths.CANDIDATES / "classic/manifest.csv",
        paths.CANDIDATES / "deconstruct_learned/manifest.csv",
        paths.ACCEPTED / "deconstruct_learned/annotations.json",
        paths.JUDGED / "paste.csv", paths.VERDICTS / "paste.json", paths.JUDGE_TESTS / "labelled/figures.json",
        paths.VERDICTS / "wgan_transfer.csv", paths.VERDICTS / "wgan_ten.json", paths.JUDGE / "other/limits.json",
        paths.METRICS / "verdicts.json", paths.METRICS / "judge.json", paths.REPORTS / "judge.html",
        paths.METRICS / "detect_fakes.json",
        paths.ACCEPTED / "paste/annotations.json", paths.ACCEPTED / "wgan_ten/best/annotations.json",
        paths.ACCEPTED / "classic/accepted.json", paths.LABELS / "focus.json", paths.METRICS / "labels.json",
        paths.DETECTORS / "focus/warm_paste/1.pt", paths.DETECTORS / "focus/all/run.json",
        paths.EVIDENCE / "results.json", paths.METRICS / "evidence.json", paths.METRICS / "gate.json",
        paths.GATE / "folds.json", paths.PLOTS / "evidence/arms.csv", paths.REPORTS / "index.html",
        *(paths.RELEASED / "tube_mint" / name for name in ("detector.pt", "detector.onnx", "card.json", "page.html")),
        paths.METRICS / "gan.json", paths.REPORTS / "gan.html", paths.PLOTS / "gan_compare/experiments.jpg",
    ):  # fmt: skip
        assert (done / path).is_file(), path
    for subset in KEPT["subsets"]:
        folder = done / paths.SUBSETS / subset
        picks = {p["image"] for p in files.read_json(folder / "subset.json")["picks"]}
        assert picks == {i["id"] for i in files.read_json(folder / "annotations.json")["images"]}
        assert len(list((folder / "images").rglob("*.png"))) == len(picks)
    metrics = files.read_json(done / paths.METRICS / "detector_test.json")
    assert {"map50", "map50_95", "found", "present", "certainty", "tube_mint_found"} <= metrics.keys()
    assert all(isinstance(value, int | float) for value in metrics.values())
    assert metrics["present"] == sum(v for k, v in metrics.items() if k.endswith("_present"))


def test_no_test_or_validation_image_reaches_a_subset_or_a_candidate(done):
    split = files.read_json(done / paths.SPLIT)
    assert not set(split["train"]) & set(split["val"] + split["test"])
    for folder in (done / paths.SUBSETS).iterdir():
        assert {p["image"] for p in files.read_json(folder / "subset.json")["picks"]} <= set(split["train"])
    for path in (done / paths.CANDIDATES).glob("*/manifest.csv"):
        for parents in {row["parents"] for row in csv.DictReader(path.open())}:
            for parent in parents.split(";"):
                images = files.read_json(done / parent / "annotations.json")["images"]
                assert {image["id"] for image in images} <= set(split["train"]), (path, parent)


def test_a_judge_sees_its_product_s_subset_and_no_other_image_of_it(done):
    images = files.read_json(done / paths.ANNOTATIONS)["images"]
    group_of = {image["id"]: image["file_name"].partition("/")[0] for image in images}
    split = files.read_json(done / paths.SPLIT)
    for product, subset in DECLARED["judge"]["subsets"].items():
        seen = files.read_json(done / paths.DETECTORS / product / "judge" / "images.json")
        own = {p["image"] for p in files.read_json(done / paths.SUBSETS / subset / "subset.json")["picks"]}
        group = DECLARED["products"][product]
        assert {i for part in seen.values() for i in part if group_of[i] == group} == own
        assert not set(seen["train"]) & set(split["val"] + split["test"])
        assert set(seen["val"]) <= set(split["val"])


def test_every_candidate_has_a_verdict_with_its_reason(done):
    for folder in (done / paths.CANDIDATES).iterdir():
        with (
            (folder / "manifest.csv").open() as manifest,
            (done / paths.VERDICTS / f"{folder.name}.csv").open() as said,
        ):
            rows = list(csv.DictReader(said))
            assert [row["id"] for row in rows] == [row["id"] for row in csv.DictReader(manifest)]
        assert all(row["verdict"] in ("green", "yellow", "white", "red") and row["reason"] for row in rows)
        if DECLARED["compositions"].get(folder.name, {}).get("how") == "classic":  # copies by definition
            continue
        metrics = files.read_json(done / paths.METRICS / "verdicts.json")
        shares = [metrics[f"{folder.name}_{colour}"] for colour in ("green", "yellow", "white", "red")]
        assert abs(sum(shares) - 1) < 0.001


def test_a_second_repro_does_nothing(done):
    before = (done / "dvc.lock").read_bytes()
    said = run(done, "dvc", "repro").stdout
    assert "Running stage" not in said
    assert "up to date" in said
    assert (done / "dvc.lock").read_bytes() == before
    assert "up to date" in run(done, "dvc", "status").stdout


def test_git_sees_no_data(done):
    """`git add -A` in the middle of everything commits no data, no weights, no checkpoints."""
    run(done, "git", "add", "-A")
    tracked = run(done, "git", "ls-files").stdout.splitlines()
    kept = [p for p in tracked if p.startswith(("data/", "models/", ".checkpoints/"))]
    assert kept == ["data/none/.gitkeep", "data/products/.gitkeep", "data/reviews/.gitkeep",
                    "data/unlabelled/.gitkeep"]  # fmt: skip
    assert "dvc.lock" in tracked and "reports/metrics/detector_test.json" in tracked
    assert not any(p.startswith("reports/timing") for p in tracked)
    assert all((done / p).stat().st_size < 1_000_000 for p in tracked)


def test_dvc_shows_metrics_plots_params_and_the_dag(done):
    run(done, "git", "add", "-A")
    run(done, "git", "commit", "-q", "-m", "Run", "--allow-empty")
    assert "map50" in run(done, "dvc", "metrics", "show").stdout
    assert "detector_test" in run(done, "dvc", "dag", "--dot").stdout
    page = run(done, "dvc", "plots", "show", "-o", "plots").stdout
    assert "index.html" in page
    shown = (done / "plots" / "index.html").read_text()
    assert "train_box" in shown and "contact_sheet" in shown
    text = (done / "params.yaml").read_text()
    change(done, {"testing.bootstrap": 100})
    assert "testing.bootstrap" in run(done, "dvc", "params", "diff").stdout
    (done / "params.yaml").write_text(text)


def test_the_headline_comes_first_and_is_short(done):
    """One line a figure, of what a person looks at after every run."""
    run(done, "git", "add", "-A")
    run(done, "git", "commit", "-q", "-m", "Run", "--allow-empty")
    shown = json.loads(run(done, "dvc", "metrics", "show", "--json").stdout)[""]["data"]
    assert next(iter(shown)) == "reports/metrics/headline.json"
    assert 10 <= len(shown["reports/metrics/headline.json"]["data"]) <= 15
    said = run(done, "make", "-s", "metrics", f"VENV={Path(sys.executable).parents[1]}", "setup=").stdout
    assert len([line for line in said.splitlines() if "headline" in line or "_" in line]) <= 15


def test_an_experiment_changes_what_it_should_and_its_metrics_can_be_compared(done):
    """What changes follows from the code; whether a figure does depends on what training gave on this processor."""
    run(done, "git", "add", "-A")
    run(done, "git", "commit", "-q", "-m", "Run", "--allow-empty")
    change(done, {"testing.iou": 0.05})
    stale = [line for line in run(done, "dvc", "status").stdout.splitlines() if not line.startswith("\t")]
    assert sorted(stale) == ["detector_test:", "evidence:", "gate:", "product:"]
    run(done, "git", "checkout", "-q", "--", "params.yaml")
    said = run(done, "dvc", "exp", "run", "-S", "testing.iou=0.05", "detector_test").stdout
    assert re.findall(r"Running stage '(.+?)'", said) == ["detector_test"]
    changed = json.loads(run(done, "dvc", "metrics", "diff", "--all", "--json").stdout)
    figures = changed["reports/metrics/detector_test.json"]
    assert figures["found"]["new"] >= figures["found"]["old"]  # less overlap is asked for
    assert figures["map50"]["new"] == figures["map50"]["old"]
    run(done, "git", "checkout", "-q", "--", "params.yaml")
    said = run(done, "dvc", "repro", "detector_test").stdout
    assert "Stage 'detector_test' is cached" in said  # going back runs nothing again
    assert not run(done, "git", "status", "--porcelain", "-uno").stdout


def test_a_remote_works_out_of_the_box(done):
    run(done, "dvc", "push", "-q")
    weights = done / paths.DETECTORS / "baseline" / "best.pt"
    before = files.digest(weights)
    clone = done.parent / "clone"
    run(done.parent, "git", "clone", "-q", str(done), str(clone))
    run(clone, "dvc", "pull", "-q")
    assert files.digest(clone / paths.DETECTORS / "baseline" / "best.pt") == before


def test_a_wrong_setting_stops_a_stage_with_one_line_and_writes_nothing(done):
    text = (done / "params.yaml").read_text()
    change(done, {"scales.smoke.detector.epochs": 0})
    failed = run(done, "python", "-m", "stages.detector.train", "baseline", ok=False)
    (done / "params.yaml").write_text(text)
    assert failed.returncode == 2
    assert failed.stderr == "tenfold: params.yaml: scales.smoke.detector.epochs: 0 is not allowed: expected int >= 1\n"
    assert (done / paths.DETECTORS / "baseline" / "best.pt").exists()


def test_a_killed_training_resumes_and_ends_with_the_same_weights(done, tmp_path):
    checkpoints = {"TENFOLD_CHECKPOINTS": str(tmp_path)}
    weights = done / paths.DETECTORS / "baseline" / "best.pt"
    curves = done / paths.PLOTS / "detector" / "baseline.csv"
    before = files.digest(weights), curves.read_text()
    command = (sys.executable, "-m", "stages.detector.train", "baseline")
    kills.once(command, done, lambda: any(tmp_path.glob("*/state.pt")), **checkpoints)
    assert list(tmp_path.glob("*/state.pt"))
    weights.unlink()
    curves.unlink()
    environ = environment(done) | checkpoints
    said = subprocess.run(command, cwd=done, env=environ, check=True, capture_output=True, text=True)
    assert (files.digest(weights), curves.read_text()) == before, said.stderr
    assert not list(tmp_path.glob("*/state.pt"))


def test_doctor_says_in_ten_lines_what_is_here(done):
    lines = run(done, "python", "-m", "stages.doctor").stdout.splitlines()
    assert len(lines) == 10
    assert "MISSING" not in "".join(lines)
    assert lines[-1].startswith("last run") and "mAP50" in lines[-1]
    lock = done / ".dvc" / "tmp" / "rwlock"
    lock.write_text(json.dumps({"write": {"data/yolo": {"pid": 2**22 + 1, "cmd": "dvc repro"}}}))
    said = run(done, "python", "-m", "stages.doctor").stdout
    lock.unlink()
    assert "data/yolo by DEAD process" in said

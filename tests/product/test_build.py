import onnxruntime
import pytest

from stages import files, paths, settings
from stages.evidence import unseen_results
from stages.problem import Problem
from stages.product import build, card, detect
from tests.helpers.decided import NAMES, decide, without_tests

PRODUCT = paths.RELEASED / "tube_mint"


@pytest.fixture
def there(built, monkeypatch):
    monkeypatch.chdir(built)
    return card.read(PRODUCT)


def test_it_is_the_first_seed_of_the_arm_that_the_gate_chose(there):
    assert files.digest(PRODUCT / card.WEIGHTS) == files.digest(paths.DETECTORS / "focus" / "paste" / "0.pt")
    assert (there.product, there.arm, there.promoted, there.why) == ("tube_mint", "paste", True, "paste is <b>best</b>")
    assert there.made["weights"] == files.digest(PRODUCT / card.WEIGHTS)
    assert there.licence == "AGPL-3.0-or-later"


def test_the_card_says_what_it_was_trained_and_measured_on(there):
    ten = files.read_json(paths.SUBSETS / "ten" / "annotations.json")["images"]
    assert there.trained_on["photographs"] == sorted(image["file_name"] for image in ten)
    assert there.trained_on["composed"] == {"data/accepted/paste": 10}
    assert there.trained_on["other_products"] == {}
    tests = [i for i in files.read_json(paths.ANNOTATIONS)["images"] if i["id"] in files.read_json(paths.SPLIT)["test"]]
    tests = [image for image in tests if image["file_name"].startswith("tube_mint/")]
    assert there.figures["on"].startswith(f"{len(tests)} test photographs of the product")
    assert there.figures["arm"] == {"seeds": 2, "map50_95": {"value": 0.5, "low": 0.4, "high": 0.6}}
    assert {of.name for of in there.classes} >= set(NAMES.values())
    assert "validation photographs" in there.chosen_on


def test_no_test_image_has_a_say_in_thresholds_and_certainty(project):
    seen = unseen_results.read(files.read_json(paths.GATE / "unseen.json"))
    assert {scene.image for scene in seen.scenes} <= set(files.read_json(paths.SPLIT)["val"])
    build.main()
    before = card.read(PRODUCT)
    without_tests("tube_mint")  # and without them, the same is chosen
    build.main()
    after = card.read(PRODUCT)
    assert after.figures["on"] == after.chosen_on == before.chosen_on != before.figures["on"]
    assert after.calibration == before.calibration
    for name, point in before.thresholds.items():
        assert (point and point.confidence) == (after.thresholds[name] and after.thresholds[name].confidence)


def test_the_card_says_how_many_of_its_detections_onnx_has_too(there):
    """Where nothing has been learnt, boxes lie on each other by the dozen, and rounding decides which is a double."""
    assert there.onnx["detections"] > 50 and 0.95 < there.onnx["share"] <= 1
    assert there.onnx["within"] == build.TOLERANCE
    assert onnxruntime.InferenceSession(PRODUCT / card.ONNX).get_outputs()


def test_it_is_what_detect_uses_for_the_product_in_focus(there):
    assert detect.main(paths.SUBSETS / "ten" / "images", None, "recall", None) == 0
    assert files.read_json(paths.DETECTIONS / "images" / "images.json")["categories"] == [
        {"id": of.id, "name": of.name} for of in there.classes
    ]


def test_where_none_is_promoted_it_is_the_old_detector_and_says_so(project):
    params = settings.load()
    decide(params, {"include_fakes": 0, "promote_product": 0, "promote_product_why": "no better", "chosen": "paste",
                    "detector_before": 1})  # fmt: skip
    build.main()
    about = card.read(PRODUCT)
    assert files.digest(PRODUCT / card.WEIGHTS) == files.digest(paths.DETECTORS / "focus" / "known" / "last.pt")
    assert (about.arm, about.promoted, about.why) == ("zero_shot", False, "no better")
    assert "of the known products" in about.figures["on"] and not about.trained_on["photographs"]
    assert "no new detector is promoted" in (PRODUCT / card.PAGE).read_text()


def test_where_there_was_none_before_the_best_there_is_is_built_and_says_so(project):
    decide(settings.load(), {"include_fakes": 0, "promote_product": 0, "promote_product_why": "it finds too little",
                             "chosen": "paste", "detector_before": 0})  # fmt: skip
    build.main()
    about = card.read(PRODUCT)
    assert (about.arm, about.promoted) == ("paste", False)
    assert "too few to be put to use; there is no other" in (PRODUCT / card.PAGE).read_text()


def test_without_any_detector_it_is_one_line(project):
    files.write_json(paths.METRICS / "gate.json", {"promote_product": 0, "detector_before": 0})
    (paths.DETECTORS / "focus" / "known" / "last.pt").unlink()
    with pytest.raises(Problem, match="tube_mint: no detector has been trained"):
        build.main()


def test_a_product_without_photographs_to_spare_is_built_without_thresholds(project):
    without_tests("tube_mint")
    files.write_json(paths.GATE / "unseen.json", unseen_results.written(unseen_results.Unseen("none", [])))
    build.main()
    about = card.read(PRODUCT)
    assert about.thresholds == {"precision": None, "recall": None} and about.calibration == card.Calibration()
    assert about.chosen_on.startswith("nothing") and "to measure it on" in (PRODUCT / card.PAGE).read_text()


def test_a_built_product_is_the_same_again(built, project):
    build.main()
    before = built / PRODUCT
    for name in (card.WEIGHTS, card.ONNX, card.CARD, card.PAGE):
        assert files.digest(PRODUCT / name) == files.digest(before / name)


@pytest.mark.slow
def test_ten_photographs_and_no_others_choose_thresholds_fold_by_fold(project):
    """Each is seen by a detector made in the same way without it."""
    without_tests("tube_mint")
    decision = {"include_fakes": 0, "promote_product": 1, "promote_product_why": "better", "chosen": "ten_standard",
                "detector_before": 1}  # fmt: skip
    decide(settings.load(), decision)
    seen = unseen_results.read(files.read_json(paths.GATE / "unseen.json"))
    ten = files.read_json(paths.SUBSETS / "ten" / "annotations.json")["images"]
    assert seen.kind == "folds" and sorted(scene.image for scene in seen.scenes) == sorted(i["id"] for i in ten)
    build.main()
    assert card.read(PRODUCT).chosen_on.startswith("its own 10 photographs")
    assert not list((project / ".checkpoints" / "folds").rglob("*.pt"))

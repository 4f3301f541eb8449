import msgspec
import numpy as np
import pytest

from stages import settings
from stages.detector.scenes import DetectedScene
from stages.evidence import compare
from stages.evidence.arm_roles import Roles, may_ship, roles
from stages.evidence.compare import OLD, Comparison
from stages.evidence.statistics import Spread
from tests.helpers.checkouts import ROOT

PARAMS = settings.load(ROOT / "params.yaml")
PARAMS = msgspec.structs.replace(PARAMS, evidence=msgspec.structs.replace(PARAMS.evidence, resamplings=1000))
PART = roles(PARAMS.arms, PARAMS)
IMAGES, PRODUCT, KNOWN = 30, 1, 0  # classes
SPREADS = {measure: Spread(0.01, 20) for measure in compare.MEASURES}


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    """Scores of fewer draws of the test images, which is what takes time here."""
    monkeypatch.setattr(compare, "IMAGE_DRAWS", 200)


def seen(skill, seed=0, number=PRODUCT, shift=0.0, called=None):
    """Return two detectors' scenes: `skill` is the share of objects that they find, `shift` how far beside them."""
    return [[photograph(skill, k, seed + run, number, shift, called) for k in range(IMAGES)] for run in range(2)]


def photograph(skill, k, seed, number, shift, called):
    there, luck = np.random.default_rng(k), np.random.default_rng([k, seed])
    boxes = np.array([(40 * x + 5, 40 * y + 5, 20, 20) for x in range(2) for y in range(2)], float)
    boxes[:, :2] += there.uniform(0, 10, (4, 2))
    found = boxes[luck.random(4) < skill] + luck.normal(0, 0.3, 4)
    found[:, 0] += shift * 20
    sure, class_ = (
        luck.uniform(0.5, 0.9, (len(found), 1)),
        np.full((len(found), 1), number if called is None else called),
    )
    return DetectedScene(k, 100, 100, boxes, np.full(4, number), np.zeros(4, bool), np.hstack([found, sure, class_]))


def test_arms_are_known_by_what_they_are_made_of():
    assert Roles("ten", "ten_standard", "all", "warm_ten", "warm_all") == PART


def test_controls_other_subsets_and_unaugmented_images_do_not_compete():
    competing = may_ship(PARAMS.arms, PARAMS)
    assert {"ten_standard", "paste", "wgan_ten", "warm_ten", "warm_paste", "copy_paste", "best"} <= competing.keys()
    assert not {"ten", "all", "warm_all", "wgan_ten_ungated", "wgan_ten_random"} & competing.keys()


def test_each_arm_is_measured_against_its_own_kind_and_only_those_that_compete_are_corrected():
    of = Comparison({name: seen(0.5 + 0.02 * k, k) for k, name in enumerate([*PARAMS.arms, OLD])}, 2, PARAMS, SPREADS)
    found = compare.against(of, PARAMS.arms, PART)
    assert set(found["paste"]) == {"ten", "ten_standard", OLD}
    assert set(found["ten_standard"]) == {"ten", OLD}
    assert set(found["warm_paste"]) == {"warm_ten", "ten_standard", OLD}
    assert OLD not in found and "ten" not in found
    for name in ("paste", "all", "wgan_ten_random"):
        assert found[name]["ten_standard"]["corrected"] == found[name]["ten_standard"]["p"]
    others = [found[name]["ten_standard"] for name in ("copy_paste", "mosaic", "classic", "best", "warm_ten")]
    assert all(of["corrected"] >= of["p"] for of in others) and any(of["corrected"] > of["p"] for of in others)


# --- the gate, with planted regressions -------------------------------------------------------------------------------

GOOD = {"ten_standard": seen(0.9), "paste": seen(0.92, 5), "warm_ten": seen(0.9, 9), OLD: seen(0.0)}
HOLDS = {name: seen(0.9, number=KNOWN) for name in ("warm_ten", OLD)}


def gate(on_product, on_known):
    """Return the gate's word on detectors, by what they see on the product and on the known products."""
    of, known = (Comparison(scenes, 2, PARAMS, SPREADS) for scenes in (on_product, on_known))
    kept = {
        name: {"against": {m: msgspec.to_builtins(known.difference(name, OLD, m)) for m in ("map50_95", "found")}}
        for name in on_known if name.startswith("warm")
    }  # fmt: skip
    return compare.decisions(of, PARAMS.arms, PART, kept)


def test_a_good_detector_is_promoted_and_named():
    said = gate(GOOD, HOLDS)
    assert said["promote_product"] == 1 and said["chosen"] in ("ten_standard", "warm_ten")


def test_of_two_detectors_that_score_alike_the_one_that_finds_more_is_chosen():
    better = seen(0.97, 9)
    assert gate(GOOD | {"warm_ten": better}, HOLDS)["chosen"] == "warm_ten"
    timid = [
        [with_detections(scene, lambda d: np.where(d[:, 4:5] < 0.8, d * (1, 1, 1, 1, 0.25, 1), d)) for scene in run]
        for run in better
    ]
    said = gate(GOOD | {"warm_ten": timid}, HOLDS)
    assert said["chosen"] == "ten_standard"


def with_detections(scene, change):
    """Return a scene with other detections."""
    return DetectedScene(scene.image, scene.width, scene.height, scene.boxes, scene.classes, scene.crowd,
                         change(scene.detections))  # fmt: skip


@pytest.mark.parametrize("harm", [{"shift": 0.45}, {"called": KNOWN}])
def test_shifted_labels_and_a_swapped_class_are_refused(harm):
    """Where one arm has learnt them another is chosen; where all have, none is promoted."""
    assert gate(GOOD | {"warm_ten": seen(0.97, 9)}, HOLDS)["chosen"] == "warm_ten"
    assert gate(GOOD | {"warm_ten": seen(0.97, 9, **harm)}, HOLDS)["chosen"] == "ten_standard"
    said = gate({OLD: seen(0.0)} | {name: seen(0.95, k, **harm) for k, name in enumerate(("ten_standard", "warm_ten"))},
                HOLDS)  # fmt: skip
    assert said["promote_product"] == 0


def test_a_forgotten_known_product_is_refused():
    forgotten, better = HOLDS | {"warm_ten": seen(0.6, 9, KNOWN)}, GOOD | {"warm_ten": seen(0.97, 9)}
    assert gate(better, HOLDS)["chosen"] == "warm_ten"
    assert gate(better, forgotten)["chosen"] == "ten_standard"
    alone = {name: GOOD[name] for name in ("warm_ten", OLD)}
    assert gate(alone, forgotten)["promote_product"] == 0
    assert gate(alone, HOLDS)["promote_product"] == 1


def test_one_that_is_worse_than_what_serves_the_product_is_refused():
    said = gate(GOOD | {OLD: seen(0.98, 3)}, HOLDS)
    assert said["promote_product"] == 0 and "not shown to be better" in said["promote_product_why"]


def test_no_arm_with_fakes_is_chosen_where_fakes_are_not_shown_to_help():
    said = gate(GOOD | {"paste": seen(0.9)}, HOLDS)
    assert said["include_fakes"] == 0 and said["chosen"] != "paste"
    said = gate(GOOD | {"paste": seen(1.0)}, HOLDS)
    assert (said["include_fakes"], said["chosen"]) == (1, "paste")


def test_a_product_that_is_alone_is_decided_on_without_an_old_detector():
    said = gate({name: GOOD[name] for name in ("ten_standard", "paste")}, {})
    assert (said["promote_product"], said["detector_before"]) == (1, 0)


def test_without_detectors_there_is_nothing_to_promote():
    of = Comparison({OLD: seen(0.0)}, 2, PARAMS, SPREADS)
    assert compare.decisions(of, PARAMS.arms, PART, {})["promote_product"] == 0

import numpy as np
import pytest

from stages import settings
from stages.detector.scenes import DetectedScene
from stages.evidence import arm_metrics, compare_arms
from tests.helpers.checkouts import ROOT

PARAMS = settings.load(ROOT / "params.yaml")
TESTING = PARAMS.testing
NEAR, FAR, TOUCHING = (10, 10, 20, 20), (60, 60, 20, 20), (25, 10, 20, 20)


def scene(*detections, boxes=(NEAR, FAR)):
    there = np.array(boxes, float)
    seen = np.array(detections, float).reshape(-1, 6)
    return DetectedScene(1, 100, 100, there, np.zeros(len(boxes), int), np.zeros(len(boxes), bool), seen)


def value(name, *scenes, classes=1):
    return arm_metrics.METRICS[name](scenes, classes, TESTING)


def test_every_metric_is_the_mean_over_runs(monkeypatch):
    both, one = scene((*NEAR, 0.9, 0), (*FAR, 0.9, 0)), scene((*NEAR, 0.9, 0))
    assert arm_metrics.measured([[both], [one]], 1, TESTING)["found"] == 0.75
    monkeypatch.setitem(arm_metrics.METRICS, "detections", lambda scenes, *_: sum(len(s.detections) for s in scenes))
    assert arm_metrics.measured([[both], [one]], 1, TESTING)["detections"] == 1.5


def test_a_box_that_fits_roughly_counts_at_half_overlap_and_not_at_three_quarters():
    rough = scene((10, 10, 20, 14, 0.8, 0), (*FAR, 0.9, 0))
    assert value("map50", rough) == pytest.approx(1)
    assert value("map75", rough) == pytest.approx(0.505, abs=0.01)


def test_any_class_is_right_where_classes_do_not_count():
    wrong = scene((*NEAR, 0.9, 1), (*FAR, 0.9, 1))
    assert value("map50", wrong, classes=2) == 0
    assert value("map_any_class", wrong, classes=2) == pytest.approx(1)


def test_an_object_reported_twice_is_a_double():
    assert value("doubles", scene((*NEAR, 0.9, 0), (11, 10, 20, 20, 0.8, 0), (*FAR, 0.9, 0))) == 0.5
    assert value("doubles", scene((*NEAR, 0.9, 0), (11, 10, 20, 20, 0.1, 0), (*FAR, 0.9, 0))) == 0  # not sure enough


def test_touching_objects_and_free_ones_apart():
    missed = scene((*FAR, 0.9, 0), boxes=(NEAR, TOUCHING, FAR))
    assert value("map_alone", missed) == pytest.approx(1)
    assert value("map_touching", missed) == 0


def test_full_and_empty_bins_apart():
    full = scene(boxes=[(k * 20, 0, 10, 10) for k in range(4)])
    few = scene((*NEAR, 0.9, 0), (*FAR, 0.9, 0))
    assert (value("map_few", full, few), value("map_many", full, few)) == (pytest.approx(1), 0)


def test_recall_while_nineteen_of_twenty_are_right():
    right = [scene((*NEAR, 0.9 - k / 1000, 0), (*FAR, 0.9 - k / 1000, 0)) for k in range(10)]
    assert value("recall_at_precision", *right) == 1
    lone = scene((5, 50, 9, 9, 0.95, 0), boxes=(NEAR,))  # surest, and wrong: one of 21 is less than 5 %
    assert value("recall_at_precision", *right, lone) == pytest.approx(20 / 21)
    assert value("recall_at_precision", *right, lone, lone) == 0  # with two no confidence is high enough
    assert value("recall_at_precision", scene()) == 0


def test_certainty_beside_the_share_that_is_right():
    sure = [scene((*NEAR, 1.0, 0), (*FAR, 1.0, 0)) for _ in range(10)]
    assert value("miscalibration", *sure) == pytest.approx(0)
    bold = [scene((*NEAR, 0.9, 0), (50, 10, 9, 9, 0.9, 0), boxes=(NEAR,)) for _ in range(10)]
    assert value("miscalibration", *bold) == pytest.approx(0.4)
    assert value("miscalibration", scene()) is None


def test_a_few_detections_make_few_parts_as_chance_alone_is_far_from_certain():
    rng = np.random.default_rng(0)
    certain = rng.uniform(0.3, 1, 4000)
    right = rng.random(4000) < certain  # as certain as it says
    off = {n: [off_by(certain[k : k + n], right[k : k + n]) for k in range(0, 4000, n)] for n in (40, 400)}
    assert np.mean(off[40]) < 0.08 and np.mean(off[400]) < 0.08
    assert [n for _, _, n in arm_metrics.reliability(certain, right)] == [400] * 10


def off_by(certain, right):
    return sum(abs(c - r) * n for c, r, n in arm_metrics.reliability(certain, right)) / len(right)


def test_what_there_is_nothing_to_measure_for_is_left_out_of_the_figures_too():
    """Few test photographs may show no two objects that touch."""
    arm = {"map50_95": 0.5, "low": 0.4, "high": 0.6} | arm_metrics.measured([[scene((*NEAR, 0.9, 0))]], 1, TESTING)
    roles = {"baseline": "ten"}
    product = {"group": "mug", "test_images": 1, "arms": {"ten": arm}, "two_sample": {}, "roles": roles}
    found = compare_arms.figures({"focus": product})
    assert found["ten_found"] == 0.5 and "ten_map_touching" not in found

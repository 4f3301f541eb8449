import numpy as np
import pytest

from stages.detector.scenes import DetectedScene
from stages.evidence import unseen_results
from stages.evidence.unseen_results import Unseen
from stages.product import operating
from stages.product.card import Calibration

PLACES = np.array([(40.0 * k, 0.0, 20.0, 20.0) for k in range(10)])


def scene(number, right, wrong=()):
    """Ten objects; detections of the first of them with these confidences, and others beside all objects."""
    seen = [(*PLACES[k], c, 0) for k, c in enumerate(right)] + [
        (0, 100 + 30 * k, 9, 9, c, 0) for k, c in enumerate(wrong)
    ]
    there = np.zeros(len(PLACES), int)
    return DetectedScene(number, 500, 500, PLACES, there, there.astype(bool), np.array(seen, float).reshape(-1, 6))


def test_thresholds_are_where_nineteen_of_twenty_are_right_and_nineteen_of_twenty_are_found():
    sure = np.linspace(0.9, 0.81, 10)
    scenes = [scene(1, sure), scene(2, sure - 0.3, wrong=[0.7, 0.555]), scene(3, sure - 0.3)]
    assert operating.precise(scenes, 1) == pytest.approx(0.56)  # 20 of 21 are; one lower, 22 of 24; at last, 30 of 32
    assert operating.complete(scenes, 1) == pytest.approx(0.51)  # all 30 are; one higher, 28
    assert operating.complete([scene(1, sure[:5])], 1) is None
    assert operating.precise([scene(1, [], wrong=[0.9])], 1) is None
    assert operating.precise([scene(1, sure), scene(2, sure[:9])], 1) is None  # too few to say so
    assert operating.precise([scene(1, sure), scene(2, sure)], 1) == pytest.approx(0.81)


def test_a_threshold_holds_what_it_was_chosen_for_and_says_what_it_gives_on_test_images():
    chosen, tested = [scene(k, [0.9123456] * 10, wrong=[0.2]) for k in range(4)], [scene(9, [0.95] * 9, wrong=[0.93])]
    point = operating.threshold(operating.precise, chosen, tested, 1, 0)
    assert point.confidence == 0.9123
    assert (point.chosen.precision.value, point.chosen.recall.value) == (1, 1)
    assert (point.tested.precision.value, point.tested.recall.value) == (0.9, 0.9)
    assert operating.threshold(operating.complete, chosen, [], 1, 0).tested is None


def test_intervals_are_over_photographs():
    mixed = [scene(k, [0.9] * (10 if k % 2 else 5)) for k in range(8)]
    recall = operating.rates(mixed, 1, 0.5, 0).recall
    assert recall.low < recall.value == 0.75 < recall.high


@pytest.mark.parametrize("honest", [Calibration(0.4, -0.6), Calibration(1.6, 0.8)])
def test_a_certainty_is_the_share_that_is_right(honest):
    """A detector whose word is off by a known scale and offset is set right, on other photographs, too."""
    rng = np.random.default_rng(0)

    def scenes(count):
        for k in range(count):
            said = rng.uniform(0.06, 0.94, 10)
            hit = rng.random(10) < honest.certainty(said)
            yield scene(k, said * hit, wrong=said[~hit])

    fitted = operating.calibration(list(scenes(300)), 1)
    assert fitted.scale == pytest.approx(honest.scale, abs=0.15)
    assert fitted.offset == pytest.approx(honest.offset, abs=0.15)
    others = list(scenes(300))
    assert operating.miscalibration(others, 1, fitted) < 0.03 < operating.miscalibration(others, 1, Calibration())
    parts = operating.reliability(others, 1, fitted)
    assert sum(count for _, _, count in parts) == sum((s.detections[:, 4] >= operating.LEAST).sum() for s in others)
    assert [p for p, _, _ in parts] == sorted(p for p, _, _ in parts)


def test_few_detections_that_are_all_right_change_little():
    fitted = operating.calibration([scene(1, [0.6, 0.7])], 1)
    assert 0.5 < fitted.certainty(np.array([0.65]))[0] < 0.95
    assert operating.calibration([scene(1, [])], 1) == Calibration()
    assert operating.reliability([scene(1, [])], 1, Calibration()) == []


def test_what_was_seen_is_read_as_it_was_written():
    seen = Unseen("folds", [scene(1, [0.5, 0.25]), scene(2, [])])
    again = unseen_results.read(unseen_results.written(seen))
    assert again.kind == "folds"
    for one, other in zip(seen.scenes, again.scenes, strict=True):
        assert all(np.array_equal(getattr(one, name), getattr(other, name)) for name in vars(one))

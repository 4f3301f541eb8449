import numpy as np

from stages import settings
from stages.detector.scenes import DetectedScene
from stages.evidence import arm_metrics
from tests.helpers.checkouts import ROOT

TESTING = settings.load(ROOT / "params.yaml").testing


def scene(*detections):
    boxes = np.array([(10, 10, 20, 20), (60, 60, 20, 20)], float)
    return DetectedScene(1, 100, 100, boxes, np.array([0, 0]), np.zeros(2, bool), np.array(detections, float))


def test_every_metric_is_the_mean_over_seeds(monkeypatch):
    both, one = scene((10, 10, 20, 20, 0.9, 0), (60, 60, 20, 20, 0.9, 0)), scene((10, 10, 20, 20, 0.9, 0))
    assert arm_metrics.measured([[both], [one]], 1, TESTING)["found"] == 0.75
    monkeypatch.setitem(arm_metrics.METRICS, "detections", lambda scenes, *_: sum(len(s.detections) for s in scenes))
    assert arm_metrics.measured([[both], [one]], 1, TESTING)["detections"] == 1.5

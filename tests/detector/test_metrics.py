import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from stages.detector import metrics
from stages.detector.scenes import DetectedScene


def scenes(seed, count=40, classes=3, crowds=False, wild=0.3):
    """Random truth, and detections that are more or less right."""
    rng = np.random.default_rng(seed)
    made = []
    for k in range(count):
        n = rng.integers(0, 6)
        boxes = np.concatenate([rng.uniform(0, 150, (n, 2)), rng.uniform(10, 60, (n, 2))], 1)
        numbers = rng.integers(0, classes, n)
        seen = [np.array([*(b + rng.normal(0, 4, 4)), rng.random(), c]) for b, c in zip(boxes, numbers, strict=True)]
        seen = [s for s in seen if rng.random() > 0.2]
        for _ in range(rng.poisson(wild * 5)):
            box = [*rng.uniform(0, 150, 2), *rng.uniform(10, 60, 2)]
            seen.append(np.array([*box, rng.random(), rng.integers(classes)]))
        seen = np.array(seen).reshape(-1, 6).round(3)
        made.append(DetectedScene(k, 220, 220, boxes, numbers, (rng.random(n) < 0.2) & crowds, np.abs(seen)))
    return made


def pycocotools_map(of, classes):
    gold, annotations, detected = COCO(), [], []
    for s in of:
        for b, c, crowd in zip(s.boxes, s.classes, s.crowd, strict=True):
            entry = {"id": len(annotations) + 1, "image_id": s.image, "category_id": int(c), "bbox": b.tolist()}
            annotations.append(entry | {"area": float(b[2] * b[3]), "iscrowd": int(crowd)})
        for d in s.detections:
            entry = {"image_id": s.image, "category_id": int(d[5]), "bbox": d[:4].tolist(), "score": d[4]}
            detected.append(entry)
    images = [{"id": s.image, "width": 220, "height": 220} for s in of]
    categories = [{"id": k, "name": str(k)} for k in range(classes)]
    gold.dataset = {"info": {}, "images": images, "categories": categories, "annotations": annotations}
    gold.createIndex()
    judge = COCOeval(gold, gold.loadRes(detected), "bbox")
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    return judge.stats[1], judge.stats[0], judge.stats[2]


@pytest.mark.parametrize("crowds", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_three_evaluators_agree(seed, crowds):
    """pycocotools, faster-coco-eval, and ours, by which intervals are made."""
    of = scenes(seed, crowds=crowds)
    reference = pycocotools_map(of, 3)
    assert metrics.coco_map(of, 3) == pytest.approx(reference, abs=1e-9)
    ours = metrics.average_precision(metrics.match(of, 3), np.ones(len(of)))
    assert (ours[0], ours.mean(), ours[5]) == pytest.approx(reference, abs=1e-9)


def test_counting_an_image_twice_is_having_it_twice():
    of = scenes(9, count=12)
    times = np.array([2, 0, 1] * 4, float)
    twice = [s for s, n in zip(of, times, strict=True) for _ in range(int(n))]
    ours = metrics.average_precision(metrics.match(of, 3), times)
    again = metrics.average_precision(metrics.match(twice, 3), np.ones(len(twice)))
    assert ours == pytest.approx(again, abs=1e-3)  # equal confidences may come in another order


def test_interval_holds_the_value_and_shrinks_with_more_images():
    widths = []
    for count in (15, 150):
        of = scenes(3, count=count)
        draws = metrics.bootstrap(metrics.match(of, 3), 200, seed=0)
        low, high = np.percentile(draws, (2.5, 97.5), axis=0)
        assert low[0] < metrics.coco_map(of, 3)[0] < high[0]
        widths.append(high[0] - low[0])
    assert widths[1] < 0.6 * widths[0]


def test_nothing_detected_and_nothing_there_are_zero():
    empty = DetectedScene(1, 10, 10, np.zeros((0, 4)), np.zeros(0, int), np.zeros(0, bool), np.zeros((0, 6)))
    one = DetectedScene(2, 10, 10, np.array([[1.0, 1, 5, 5]]), np.zeros(1, int), np.zeros(1, bool), np.zeros((0, 6)))
    assert metrics.coco_map([empty], 1) == (0.0, 0.0, 0.0)
    assert metrics.coco_map([one], 1) == (0.0, 0.0, 0.0)
    assert metrics.found(one, 0.25, 0.5) == (0, 1, [])
    assert metrics.average_precision(metrics.match([empty, one], 1), np.ones(2)).tolist() == [0.0] * 10


def test_found_is_one_to_one_right_class_and_sure_enough():
    boxes = np.array([[0, 0, 10, 10], [4, 0, 10, 10], [50, 50, 10, 10], [80, 80, 10, 10]], float)
    classes, crowd = np.array([0, 0, 1, 0]), np.array([False, False, False, True])
    seen = np.array([
        [2, 0, 10, 10, 0.9, 0],  # could be either of the first two
        [0, 0, 10, 10, 0.8, 0],  # can only be the first: greedy matching would lose it
        [50, 50, 10, 10, 0.9, 0],  # wrong class
        [50, 50, 10, 10, 0.2, 1],  # not sure enough
        [0, 0, 10, 10, 0.7, 0],  # nothing left for it
        [80, 80, 10, 10, 0.9, 0],  # a crowd is neither found nor present
    ])  # fmt: skip
    hits, present, certainty = metrics.found(DetectedScene(1, 100, 100, boxes, classes, crowd, seen), 0.25, 0.5)
    assert (hits, present) == (2, 3)
    assert sorted(certainty) == [0.8, 0.9]

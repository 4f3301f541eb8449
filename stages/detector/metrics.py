"""How good detections are: the thesis's two numbers, and COCO's average precision with an interval.

The point values come from faster-coco-eval. For the interval the average precision is computed again and again over
images drawn with replacement; that needs the matches only once, and is checked against the evaluator in the tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster
from scipy.optimize import linear_sum_assignment

from stages.boxes import overlaps
from stages.detector.scenes import DetectedScene

IOUS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
MOST = 100  # detections of one class counted in one image


def found(scene: DetectedScene, confidence: float, iou: float) -> tuple[int, int, list[float]]:
    """Objects found, objects present, the confidence of each found one; matched one to one for the best overlap."""
    present = ~scene.crowd
    kept = scene.detections[scene.detections[:, 4] >= confidence]
    certainty = []
    for number in np.unique(scene.classes[present]):
        boxes = scene.boxes[present & (scene.classes == number)]
        of_class = kept[kept[:, 5] == number]
        if not len(of_class):
            continue
        overlap = overlaps(of_class[:, :4], boxes)
        overlap[overlap < iou] = 0
        rows, columns = linear_sum_assignment(-overlap)
        certainty += of_class[rows[overlap[rows, columns] > 0], 4].tolist()
    return len(certainty), int(present.sum()), certainty


def coco_map(scenes: Sequence[DetectedScene], classes: int) -> tuple[float, float, float]:
    """Return mAP50, mAP50-95 and mAP75 as COCO defines them, by faster-coco-eval."""
    objects = [(s, k) for s in scenes for k in range(len(s.boxes))]
    truth = {
        "images": [{"id": s.image, "width": s.width, "height": s.height} for s in scenes],
        "categories": [{"id": k, "name": str(k)} for k in range(classes)],
        "annotations": [
            {"id": number, "image_id": s.image, "category_id": int(s.classes[k]), "bbox": s.boxes[k].tolist(),
             "area": float(s.boxes[k][2] * s.boxes[k][3]), "iscrowd": int(s.crowd[k])}
            for number, (s, k) in enumerate(objects, 1)
        ],
    }  # fmt: skip
    detected = [
        {"image_id": s.image, "category_id": int(d[5]), "bbox": d[:4].tolist(), "score": float(d[4])}
        for s in scenes
        for d in s.detections
    ]
    if not detected or not objects:
        return 0.0, 0.0, 0.0
    gold = COCO(truth)
    judge = COCOeval_faster(gold, gold.loadRes(detected), iouType="bbox")
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    map50_95, map50, map75 = (max(0.0, float(judge.stats[k])) for k in range(3))
    return map50, map50_95, map75


@dataclass(frozen=True)
class Matches:
    """Every detection of one class, most confident first."""

    image: np.ndarray  # (m,) position of its image
    score: np.ndarray  # (m,) confidence
    hit: np.ndarray  # (10, m) at each overlap: matched an object
    ignored: np.ndarray  # (10, m) … or a crowd
    present: np.ndarray  # (images,) objects of the class in each image


def match(scenes: Sequence[DetectedScene], classes: int) -> list[Matches]:
    """COCO's greedy matching, once for all resamplings: class by class."""
    made = []
    for number in range(classes):
        image, score, hit, ignored, present = [], [], [], [], []
        for position, scene in enumerate(scenes):
            mine = scene.classes == number
            boxes, crowd = scene.boxes[mine], scene.crowd[mine]
            order = np.argsort(crowd, kind="stable")  # crowds last: they are matched only when nothing else is
            boxes, crowd = boxes[order], crowd[order]
            present.append(int((~crowd).sum()))
            of_class = scene.detections[scene.detections[:, 5] == number]
            of_class = of_class[np.argsort(-of_class[:, 4], kind="stable")][:MOST]
            h, i = _match_image(overlaps(of_class[:, :4], boxes, crowd), crowd)
            image += [position] * len(of_class)
            score += of_class[:, 4].tolist()
            hit.append(h)
            ignored.append(i)
        order = np.argsort(-np.array(score), kind="stable")
        hit, ignored = np.concatenate(hit, 1)[:, order], np.concatenate(ignored, 1)[:, order]
        made.append(
            Matches(np.array(image, int)[order], np.array(score, float)[order], hit, ignored, np.array(present))
        )
    return made


def _match_image(overlap: np.ndarray, crowd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    detections, objects = overlap.shape
    hit, ignored = np.zeros((2, len(IOUS), detections), bool)
    for t, least in enumerate(IOUS):
        taken = np.zeros(objects, bool)
        for d in range(detections):
            best, at = min(least, 1 - 1e-10), -1
            for g in range(objects):
                if (taken[g] and not crowd[g]) or (at >= 0 and not crowd[at] and crowd[g]):
                    continue
                if overlap[d, g] >= best:
                    best, at = overlap[d, g], g
            if at >= 0:
                taken[at] = True
                (ignored if crowd[at] else hit)[t, d] = True
    return hit, ignored


def average_precision(matches: Sequence[Matches], times: np.ndarray) -> np.ndarray:
    """mAP at each of the ten overlaps when image k counts times[k] times; classes without objects do not count."""
    of_classes = []
    for m in matches:
        present = float(m.present @ times)
        if not present:
            continue
        weight = times[m.image] * ~m.ignored
        hits = np.cumsum(weight * m.hit, 1)
        precision = hits / np.maximum(np.cumsum(weight, 1), np.spacing(1))
        precision = np.maximum.accumulate(precision[:, ::-1], 1)[:, ::-1]
        precision = np.concatenate([precision, np.zeros((len(IOUS), 1))], 1)
        recall = hits / present
        at = [np.searchsorted(recall[t], RECALLS, side="left") for t in range(len(IOUS))]
        of_classes.append([precision[t, at[t]].mean() for t in range(len(IOUS))])
    return np.mean(of_classes, 0) if of_classes else np.zeros(len(IOUS))


def image_draws(images: int, times: int, seed: int) -> Iterator[np.ndarray]:
    """Yield, so many times, how often each of some images is drawn when as many are drawn with replacement."""
    rng = np.random.default_rng(seed)
    for _ in range(times):
        yield np.bincount(rng.integers(images, size=images), minlength=images).astype(float)


def bootstrap(matches: Sequence[Matches], resamplings: int, seed: int) -> np.ndarray:
    """(resamplings, 2): mAP50 and mAP50-95 over images drawn with replacement."""
    draws = []
    for times in image_draws(len(matches[0].present), resamplings, seed):
        precision = average_precision(matches, times)
        draws.append((precision[0], precision.mean()))
    return np.array(draws)

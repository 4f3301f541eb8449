import json
from dataclasses import asdict

import msgspec
import numpy as np
import pytest

from stages import settings
from stages.judge import limits, quality
from stages.judge.grading import GRADES
from stages.judge.limits import GradingExamples, Limits, Trial
from stages.judge.quality import Seen
from tests.helpers.checkouts import ROOT
from tests.helpers.judged_scenes import reference, scene

RULE = msgspec.structs.replace(settings.load(ROOT / "params.yaml").judge, copies=8)
OWN = reference(*(scene([(8 + 4 * k, 12, 6, 16), (40, 40, 6, 16)], k) for k in range(6)))
LITTLE_LESS = 1 - RULE.slack


def test_the_copies_distance_catches_copies_of_images_it_was_not_taken_from():
    found = limits.copy_limit(OWN, RULE, 0)
    assert found.caught > 0.9
    assert 0.01 < found.distance < 0.2
    assert found == limits.copy_limit(OWN, RULE, 0)
    assert limits.copy_limit(OWN.part([0]), RULE, 0).caught is None  # nothing to test it on


def tried(seen):
    """A trial whose unseen images are OWN's, in which the detector finds this."""
    features = np.eye(len(seen))
    colours = [GRADES[k % 3] for k in range(len(seen))]
    pixels = OWN.pixels[np.arange(len(seen)) % len(OWN)]
    return Trial(OWN, features, seen, GradingExamples(pixels, colours, np.ones(len(seen)), seen, features))


def test_limits_come_from_real_images():
    def seen(confidence):
        return Seen(OWN.boxes[0], np.ones(2, int), np.array([0.95, confidence]), np.empty((0, 6)))

    trial = tried([seen(0.4 + 0.1 * k) for k in range(6)])
    found = limits.limits(OWN, [seen(0.6)], [trial], RULE)
    assert 0.4 * LITTLE_LESS <= found.confidence < 0.42 * LITTLE_LESS
    assert 0.3 < found.strong[1] < found.usual[1].middle < 0.9
    assert found.usual[1].spread >= limits.EVEN * found.usual[1].middle
    assert msgspec.convert(json.loads(json.dumps(asdict(found))), Limits, str_keys=True) == found
    doubtful = limits.limits(OWN, [seen(0.2)], [trial], RULE)  # the product's own copies count where they are so
    assert doubtful.confidence == pytest.approx(0.2 * LITTLE_LESS)


def test_a_fault_must_be_surer_than_nearly_all_that_real_images_seem_to_show():
    def seen(fault):
        faults = np.array([(0.1, 0.1, 0.2, 0.2, fault, 0.0)] * (fault > 0)).reshape(-1, 6)
        return Seen(OWN.boxes[0], np.ones(2, int), np.array([0.9, 0.9]), faults)

    def limit(changed, unseen):
        return limits.limits(OWN, list(map(seen, changed)), [tried(list(map(seen, unseen)))], RULE).fault

    assert limit([0] * 99 + [0.9], [0] * 20) == limits.FAINTEST
    assert limit([0] * 80 + [0.3] * 20, [0] * 20) == pytest.approx(0.3)
    assert limit([0.1] * 10, [0.2] * 10) == pytest.approx(0.2)


def test_cosine_distance_to_the_nearest():
    known = np.array([(1.0, 0.0), (0.0, 2.0)])
    assert limits.nearest_feature(np.array([(3.0, 0.0), (1.0, 1.0)]), known) == pytest.approx([0, 1 - 0.5**0.5])


def test_the_shortest_of_several_objects_that_stand_free_says_how_short_one_may_be():
    lengths = [quality.lengths(boxes, OWN.frame) for boxes in OWN.boxes]
    assert limits.least_long(OWN, RULE) == {1: pytest.approx(min(map(min, lengths)) * LITTLE_LESS)}
    assert limits.least_long(OWN.part([0, 1]), RULE) == {}  # four say too little

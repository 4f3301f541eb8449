import numpy as np

from stages.evidence import two_sample

RNG = np.random.default_rng(0)


def test_alike_sets_cannot_be_told_apart_and_others_can():
    real = RNG.normal(0, 1, (60, 128))
    assert 0.35 < two_sample.auc(RNG.normal(0, 1, (200, 128)), real, 0) < 0.65
    shifted = RNG.normal(0, 1, (200, 128)) + 0.5
    assert two_sample.auc(shifted, real, 0) > 0.95


def test_too_few_pictures_say_nothing():
    assert two_sample.auc(RNG.normal(0, 1, (9, 8)), RNG.normal(0, 1, (60, 8)), 0) is None

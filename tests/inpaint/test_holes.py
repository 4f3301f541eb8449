import numpy as np
import pytest

from stages.inpaint.holes import LEAST, MOST, Block, Drop, ObjectShape, OneOf, Together, one_of

TUBE = np.ones((12, 40), bool)
SILHOUETTES = [TUBE, np.ones((1, 30), bool), np.eye(9, dtype=bool), np.ones((1, 1), bool)]
EVERY = [Block(), Drop(), ObjectShape(SILHOUETTES), OneOf([Block(), Drop()]), Together([Block(), ObjectShape([TUBE])])]


@pytest.mark.parametrize("measure", EVERY)
@pytest.mark.parametrize("shape", [(64, 64), (180, 320), (10, 17)])
def test_something_is_hidden_but_not_everything_and_by_the_chance_alone(measure, shape):
    for seed in range(60):
        hidden = measure(shape, np.random.default_rng(seed))
        assert hidden.shape == shape and hidden.dtype == bool
        assert hidden.any() and not hidden.all()
        assert np.array_equal(hidden, measure(shape, np.random.default_rng(seed)))
    assert len({measure(shape, np.random.default_rng(seed)).tobytes() for seed in range(60)}) > 10


def test_an_object_hides_as_much_as_it_should_wherever_it_lies():
    angles = set()
    for seed in range(100):
        ys, xs = np.nonzero(ObjectShape([TUBE])((100, 160), np.random.default_rng(seed)))
        longer = max(np.ptp(ys), np.ptp(xs)) + 1
        assert 100 * LEAST - 3 <= longer <= 100 * MOST + 3
        assert len(ys) < 0.5 * longer**2  # a tube, not its box
        angles.add(round(float(np.polyfit(xs, ys, 1)[0]), 1))
    assert len(angles) > 20


def test_a_silhouette_lies_where_the_truth_says():
    """Unturned it would be its own shape: the area survives turning and scaling."""
    for seed in range(30):
        hidden = ObjectShape([TUBE])((200, 200), np.random.default_rng(seed))
        ys, xs = np.nonzero(hidden)
        points = np.stack([xs - xs.mean(), ys - ys.mean()])
        wide, narrow = np.sqrt(np.linalg.eigvalsh(np.cov(points))[::-1] * 12)  # of a uniform rectangle
        assert wide / narrow == pytest.approx(40 / 12, rel=0.1)
        assert hidden.sum() == pytest.approx(wide * narrow, rel=0.1)


def test_one_of_takes_each_and_together_hides_all():
    assert [type(of) for of in one_of(["block", "drop", "objects"], [TUBE]).measures] == [Block, Drop, ObjectShape]
    left, right = (lambda shape, rng, part=part: np.indices(shape)[1] // 5 == part for part in (0, 1))
    drawn = {OneOf([left, right])((4, 10), np.random.default_rng(k))[0, 0] for k in range(20)}
    assert drawn == {True, False}
    assert Together([left, right])((4, 10), np.random.default_rng(0)).all()

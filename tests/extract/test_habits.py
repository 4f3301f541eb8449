import numpy as np

from stages.extract import habits
from stages.extract.cutouts import SegmentedImage

SHAPE = (60, 100)


def scene(name, *boxes):
    """Bars (left, top, width, height), the first on top of all others."""
    masks, taken = [], np.zeros(SHAPE, bool)
    for left, top, w, h in boxes:
        mask = np.zeros(SHAPE, bool)
        mask[top : top + h, left : left + w] = True
        masks.append(mask & ~taken)
        taken |= mask
    return SegmentedImage(
        name, np.zeros((*SHAPE, 3), np.uint8), np.array(masks), [1] * len(boxes), ["mask"] * len(boxes)
    )


APART = scene("a", (5, 5, 30, 10), (5, 40, 30, 10), (60, 20, 30, 10))
CROSSED = scene("b", (20, 5, 10, 30), (10, 15, 30, 10))  # the upper one hides a third of the lower


def test_many_photographs_tell_how_objects_lie():
    found = habits.of([APART] * 10 + [CROSSED] * 30)
    assert sorted(set(found.counts)) == [2, 3]
    assert found.touching == 60 / 90
    assert np.median(found.hidden) == np.float64(0.333)
    assert found.least == 0.5  # 0.667 is the least that is seen, and more than half is never asked for
    assert found.rise == 1.0 and found.cut == 0.0


def test_what_the_frame_cuts_is_counted_and_not_taken_for_hidden():
    found = habits.of([scene("c", (0, 5, 10, 10), (50, 5, 30, 10))] * 30 + [CROSSED] * 30)
    assert found.cut == 30 / 120
    assert np.median(found.hidden) == np.float64(0.333)


def test_few_photographs_are_expected_to_show_too_few_objects():
    found = habits.of([APART] * 3)
    assert max(found.counts) == 6 and found.touching == 0.5 and max(found.hidden) == 0.6

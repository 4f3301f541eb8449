import pytest

from stages.dataset import coco, fixes
from stages.problem import Problem
from stages.settings import Fix


def dataset():
    images = [coco.Image(1, "a.png", 100, 50), coco.Image(2, "b.png", 100, 50)]
    boxes = [(1, 1, 2, (10, 10, 20, 20)), (2, 1, 2, (90, 40, 30, 30)), (3, 2, 3, (-5, 0, 20, 20))]
    annotations = [coco.Annotation(id=i, image_id=im, category_id=c, bbox=b) for i, im, c, b in boxes]
    return coco.Coco(images, [coco.Category(2, "T"), coco.Category(3, "B")], annotations)


@pytest.mark.parametrize(
    ("fix", "images", "annotations", "changed"),
    [
        (Fix(do="reclassify", image=1, to=3), [1, 2], {1: 3, 2: 3, 3: 3}, 2),
        (Fix(do="reclassify", annotation=2, to=3), [1, 2], {1: 2, 2: 3, 3: 3}, 1),
        (Fix(do="drop", image=1), [2], {3: 3}, 3),
        (Fix(do="drop", annotation=1), [1, 2], {2: 2, 3: 3}, 1),
    ],
)
def test_reclassify_and_drop(fix, images, annotations, changed):
    fixed, (record,) = fixes.apply(dataset(), [fix])
    assert [i.id for i in fixed.images] == images
    assert {a.id: a.category_id for a in fixed.annotations} == annotations
    assert record["changed"] == changed


@pytest.mark.parametrize(
    ("fix", "clipped"), [(Fix(do="clip"), {2, 3}), (Fix(do="clip", image=1), {2}), (Fix(do="clip", annotation=3), {3})]
)
def test_clip(fix, clipped):
    whole = {2: (90, 40, 10, 10), 3: (0, 0, 15, 20)}
    fixed, (record,) = fixes.apply(dataset(), [fix])
    for before, after in zip(dataset().annotations, fixed.annotations, strict=True):
        assert after.bbox == (whole[before.id] if before.id in clipped else before.bbox)
    assert record["changed"] == len(clipped)


@pytest.mark.parametrize(
    ("fix", "said"),
    [
        (Fix(do="drop", image=9), "image 9"),
        (Fix(do="drop", annotation=9), "annotation 9"),
        (Fix(do="reclassify", image=1, to=9), r"category 9; there are 2 \(T\), 3 \(B\)"),
    ],
)
def test_a_fix_that_names_nothing_is_refused(fix, said):
    with pytest.raises(Problem, match=r"dataset\.fixes\[0\]") as problem:
        fixes.apply(dataset(), [fix])
    assert problem.match(said)

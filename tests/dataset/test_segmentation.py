import json

import numpy as np
import pytest
from pycocotools import mask as rle

from stages.dataset import coco, segmentation
from stages.problem import Problem

WIDTH, HEIGHT = 40, 30


def annotation(mask):
    return coco.Annotation(9, 1, 5, (1, 2, 3, 4), segmentation=coco.msgspec.Raw(json.dumps(mask).encode()))


def inside(outline):
    """The pixels whose middle lies in an outline, whatever of it is in the frame."""
    ys, xs = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    odd = np.zeros((HEIGHT, WIDTH), bool)
    for (x, y), (u, v) in zip(outline, np.roll(outline, -1, 0), strict=True):
        if y != v:
            odd ^= ((y <= ys) != (v <= ys)) & (xs < x + (ys - y) * (u - x) / (v - y))
    return odd


def test_masks_from_polygons_and_both_kinds_of_run_lengths_agree():
    square = np.zeros((HEIGHT, WIDTH), np.uint8)
    square[5:15, 8:20] = 1
    packed = rle.encode(np.asfortranarray(square))
    runs, current, count = [], 0, 0
    for value in square.ravel(order="F"):
        if value != current:
            runs.append(count)
            current, count = value, 0
        count += 1
    for mask in (
        [[8, 5, 20, 5, 20, 15, 8, 15]],
        {"size": [HEIGHT, WIDTH], "counts": packed["counts"].decode()},
        {"size": [HEIGHT, WIDTH], "counts": [*runs, count]},
    ):
        a = annotation(mask)
        assert (segmentation.mask(a, WIDTH, HEIGHT) == square).all()
        (outline,) = segmentation.polygons(a, WIDTH, HEIGHT)
        assert np.allclose([outline.min(0), outline.max(0)], [(8, 5), (20, 15)], atol=1)


@pytest.mark.parametrize("seed", range(20))
def test_packed_run_lengths_are_read_as_pycocotools_reads_them(seed):
    rng = np.random.default_rng(seed)
    pixels = np.asfortranarray(rng.random((HEIGHT, WIDTH)) < rng.choice([0.01, 0.5, 0.99])).astype(np.uint8, order="F")
    mask = {"size": [HEIGHT, WIDTH], "counts": rle.encode(pixels)["counts"].decode()}
    assert (segmentation.mask(annotation(mask), WIDTH, HEIGHT) == pixels).all()


@pytest.mark.parametrize(
    "broken",
    [
        {"size": [3, 4], "counts": [12]},
        {"counts": 5},
        [["a", "b", "c", "d", "e", "f"]],
        7,
        [[5, 5], [25, 5], [25, 15]],  # points, each by itself
        [[5, 5, 25, 5, 25, 15, 9]],
        [[8, 5, 20, 5, 20, 15], [1]],
        {"size": [HEIGHT, WIDTH], "counts": [-1, 1201]},
        {"size": [HEIGHT, WIDTH], "counts": [2**40]},
        {"size": [HEIGHT, WIDTH], "counts": [10]},  # of which pycocotools makes what lies in memory
        {"size": [HEIGHT, WIDTH], "counts": "e7:d00"},
        {"size": [HEIGHT, WIDTH], "counts": "~" * 99},
        {"size": [HEIGHT, WIDTH], "counts": "o" * 10**6},
        {"size": [HEIGHT, WIDTH], "counts": ""},
    ],
)
@pytest.mark.parametrize("read", [segmentation.polygons, segmentation.mask])
def test_an_unreadable_mask_names_its_annotation(read, broken):
    with pytest.raises(Problem, match="annotation 9: its segmentation cannot be read"):
        read(annotation(broken), WIDTH, HEIGHT)


def test_a_mask_nested_too_deeply_names_its_annotation():
    deep = coco.Annotation(9, 1, 5, (1, 2, 3, 4), segmentation=coco.msgspec.Raw(b"[" * 5000 + b"]" * 5000))
    with pytest.raises(Problem, match="annotation 9: its segmentation cannot be read"):
        segmentation.mask(deep, WIDTH, HEIGHT)


@pytest.mark.parametrize("none", [None, [], [[]], [[1, 2, 3, 4]]])
def test_no_mask_is_no_mask(none):
    assert segmentation.polygons(annotation(none), WIDTH, HEIGHT) == []
    assert segmentation.mask(annotation(none), WIDTH, HEIGHT) is None


@pytest.mark.parametrize("far", [60, 1e4, 5e7, 1e300])
@pytest.mark.parametrize("seed", range(3))
def test_an_outline_that_leaves_the_frame_is_cut_off_there(far, seed):
    rng = np.random.default_rng(seed)
    outline = rng.uniform(0, 1, (7, 2)) * (WIDTH, HEIGHT)
    outline[rng.integers(7)] = (-far, far) if seed % 2 else (far, far / 2)
    a = annotation([outline.ravel().tolist()])
    (cut,) = segmentation.polygons(a, WIDTH, HEIGHT)
    assert cut.min() >= 0 and (cut <= (WIDTH, HEIGHT)).all()
    wanted = inside(outline.clip(-1e9, 1e9))
    assert (inside(cut) != wanted).mean() < 0.005
    assert (segmentation.mask(a, WIDTH, HEIGHT).astype(bool) != wanted).mean() < 0.06  # pycocotools' edges are wider


def test_a_mask_outside_the_frame_is_an_empty_mask_and_not_none():
    a = annotation([[-20, -20, -5, -20, -5, -5, -20, -5]])
    assert segmentation.polygons(a, WIDTH, HEIGHT) == []
    assert not segmentation.mask(a, WIDTH, HEIGHT).any()


def test_an_outline_that_would_take_all_memory_is_refused():
    zigzag = np.stack([np.tile([0.0, WIDTH], 50_000), np.linspace(0, HEIGHT, 100_000)], 1)
    with pytest.raises(Problem, match="annotation 9: its outline is longer than"):
        segmentation.mask(annotation([zigzag.ravel().tolist()]), WIDTH, HEIGHT)

import shutil

import pytest

from stages.dataset import source
from stages.problem import Problem


def test_a_coco_dataset_is_copied_as_it_is(tmp_path, hand):
    annotations = hand([("x/a.png", 20, 10), ("b.png", 20, 10)], [{"bbox": [1, 1, 5, 5]}])
    (tmp_path / "images" / "not named.png").write_bytes(b"")
    source.copy(tmp_path / "images", annotations, tmp_path / "out")
    copied = {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert copied == {"annotations.json", "images/x/a.png", "images/b.png"}
    assert (tmp_path / "out" / "images" / "b.png").read_bytes() == (tmp_path / "images" / "b.png").read_bytes()


def test_a_missing_image_or_folder_is_named_before_anything_is_copied(tmp_path, hand):
    annotations = hand([("a.png", 20, 10), ("b.png", 20, 10)], [])
    (tmp_path / "images" / "b.png").unlink()
    with pytest.raises(Problem, match=r"image 2: .*b\.png is missing"):
        source.copy(tmp_path / "images", annotations, tmp_path / "out")
    shutil.rmtree(tmp_path / "images")
    with pytest.raises(Problem, match=r"dataset\.images: .* is not a folder"):
        source.copy(tmp_path / "images", annotations, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_boxes_that_are_no_pixels_are_refused(tmp_path, hand):
    annotations = hand([("a.png", 20, 10)], [{"bbox": [0.1, 0.1, 0.5, 0.6]}])
    with pytest.raises(Problem, match="its boxes are shares of the picture"):
        source.copy(tmp_path / "images", annotations, tmp_path / "out")

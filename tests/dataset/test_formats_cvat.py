import re
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from stages.dataset import arrival, coco, segmentation
from stages.dataset.formats import convert, cvat, found
from tests.helpers.exports import FLAT, converted, cvat_text, put


def test_cvat_s_masks_and_turned_boxes(tmp_path):
    shapes = (
        '<mask label="can" rle="1, 2, 1, 2" left="10" top="20" width="3" height="2"/>'
        '<box label="can" xtl="10" ytl="10" xbr="20" ybr="14" rotation="90"/>'
    )
    convert.convert(put(tmp_path / "from", {"annotations.xml": cvat_text(shapes)}, FLAT), tmp_path / "into")
    masked, turned = arrival.read(tmp_path / "into").annotations[2:4]
    expected = np.zeros((32, 40), np.uint8)
    expected[20:22, 10:13] = [[0, 1, 1], [0, 1, 1]]
    assert np.array_equal(segmentation.mask(masked, 40, 32), expected)
    assert masked.bbox == (11, 20, 2, 2)
    assert turned.bbox == pytest.approx((13, 7, 4, 10))


def test_cvat_s_photographs_in_a_folder_for_tests_are_tested_on(tmp_path):
    text = cvat_text().replace('name="2.png"', 'name="test/2.png"')
    dataset = converted(tmp_path, {"annotations.xml": text}, ("images/1.png", "images/test/2.png"))
    assert [image.split for image in dataset.images] == [None, "test"]


def test_a_label_of_project_and_task_is_one_class_and_a_skeleton_s_points_are_none(tmp_path):
    text = cvat_text()
    (labels,) = re.findall("<labels>.*</labels>", text)
    point = "<label><name>1</name><type>points</type><parent>body</parent></label>"
    text = text.replace(labels, labels.replace("</labels>", f"{point}</labels>") + f"<project>{labels}</project>")
    dataset = converted(tmp_path, {"annotations.xml": text})
    assert coco.class_names(dataset) == ["can", "cup"]


def test_of_two_photographs_of_one_name_the_one_of_the_subset_is_meant(tmp_path):
    text = cvat_text(names=["1.png"]).replace("<image ", '<image subset="test" ')
    folder = put(tmp_path / "from", {"annotations.xml": text}, {"images/1.png": "2.png", "images/test/1.png": "1.png"})
    assert found.at(folder, "1.png", "test") == folder / "images" / "test" / "1.png"
    convert.convert(folder, tmp_path / "into")
    assert [image.split for image in arrival.read(tmp_path / "into").images] == ["test"]


def test_a_large_mask_takes_little_memory(tmp_path):
    width, height = 2000, 1500
    mask = f'<mask label="can" rle="0,{width * height}" left="0" top="0" width="{width}" height="{height}"/>'
    image = f'<image id="0" name="1.png" width="{width}" height="{height}">{mask}</image>'
    put(tmp_path, {"annotations.xml": f"<annotations>{image}</annotations>"})
    Image.new("RGB", (width, height)).save(tmp_path / "1.png")
    tracemalloc.start()
    (annotation,) = cvat.read(tmp_path).dataset.annotations
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert annotation.bbox == (0, 0, width, height)
    assert most < 10 * width * height  # bytes, most of which are room for the file

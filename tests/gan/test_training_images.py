import numpy as np
import pytest
from PIL import Image

from stages import files
from stages.gan import training_images
from stages.problem import Problem


def write(folder, sizes):
    """Images of one colour each: 10, 20, 30, …"""
    entries = []
    for number, (width, height) in enumerate(sizes, 1):
        (folder / "images" / "g").mkdir(parents=True, exist_ok=True)
        name = f"g/{number}.png"
        Image.fromarray(np.full((height, width, 3), 10 * number, np.uint8)).save(folder / "images" / name)
        entries.append({"id": number, "file_name": name, "width": width, "height": height})
    files.write_json(folder / "annotations.json", {"images": entries, "annotations": [], "categories": []})
    return folder


def test_whole_frames_are_squashed_to_squares_in_order(tmp_path):
    folder = write(tmp_path / "a", [(64, 36), (32, 18)])
    ramp = np.linspace(0, 255, 64).astype(np.uint8)[None, :, None].repeat(36, 0).repeat(3, 2)
    Image.fromarray(ramp).save(folder / "images/g/1.png")
    found = training_images.load([folder], 32).pixels
    assert found.shape == (2, 32, 32, 3) and found.dtype == np.uint8
    assert found[0, 5, 0, 0] < 8 and found[0, 5, -1, 0] > 247  # nothing is cropped
    assert (found[1] == 20).all()


def test_more_folders_add_their_images(tmp_path):
    own, extra = write(tmp_path / "own", [(64, 36)] * 2), write(tmp_path / "extra", [(50, 50)] * 3)
    found = training_images.load([own, extra], 32)
    assert [int(p[0, 0, 0]) for p in found.pixels] == [10, 20, 10, 20, 30]


def test_the_frame_is_the_most_common_one(tmp_path):
    assert training_images.load([write(tmp_path / "a", [(50, 50), (64, 36), (64, 36)])], 32).frame == (64, 36)


def test_an_image_that_cannot_be_read_is_named(tmp_path):
    folder = write(tmp_path / "a", [(64, 36)] * 3)
    (folder / "images/g/2.png").write_bytes(b"no picture")
    with pytest.raises(Problem, match=r"g/2\.png: not a whole picture"):
        training_images.load([folder], 32)
    (folder / "images/g/2.png").unlink()
    with pytest.raises(Problem, match=r"g/2\.png: the file is missing"):
        training_images.load([folder], 32)


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(Problem, match=r"annotations\.json: there are no images"):
        training_images.load([write(tmp_path / "empty", [])], 32)
    with pytest.raises(Problem, match=r"annotations\.json: no such file"):
        training_images.load([tmp_path / "nowhere"], 32)

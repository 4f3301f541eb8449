import numpy as np
import onnxruntime
import pytest

from stages import files
from stages.dataset import photo
from stages.detector import export, predict
from tests.helpers import small_detector

TOLERANCE = 1e-4  # of the picture, and of the confidence


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A detector's weights, and the same as ONNX."""
    folder = tmp_path_factory.mktemp("export")
    weights = small_detector.write(folder / "detector.pt")
    export.onnx(weights, folder / "detector.onnx", small_detector.IMGSZ)
    return weights, folder / "detector.onnx"


@pytest.mark.parametrize("shape", [(96, 96), (54, 96), (96, 70), (200, 300)])
def test_onnx_sees_what_the_weights_see(both, shape):
    """Asked by onnxruntime alone, in the few lines that docs/product.md shows."""
    weights, exported = both
    small = photo.fit(small_detector.noise(*shape), small_detector.IMGSZ)
    height, width = small.shape[:2]
    (expected,) = predict.predict(weights, [small], small_detector.IMGSZ)
    padded = np.full((-(-height // 32) * 32, -(-width // 32) * 32, 3), 114, np.uint8)
    top, left = (padded.shape[0] - height) // 2, (padded.shape[1] - width) // 2
    padded[top : top + height, left : left + width] = small
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    (rows,) = session.run(None, {"images": padded.transpose(2, 0, 1)[None].astype(np.float32) / 255})[0]
    rows = rows[rows[:, 4] > 0]
    corners = (rows[:, :4] - (left, top, left, top)).clip(0, (width, height, width, height))
    mine = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]]) / (width, height, width, height)
    assert len(rows) == len(expected) > 10
    mine = np.hstack([mine, rows[:, 4:]])
    assert max(export.apart(mine, expected)) < TOLERANCE and max(export.apart(expected, mine)) < TOLERANCE


def test_ultralytics_asks_it_as_it_asks_the_weights(both):
    weights, exported = both
    pictures = [small_detector.noise(54, 96, seed) for seed in range(3)]
    for one, other in zip(
        predict.predict(weights, pictures, small_detector.IMGSZ),
        predict.predict(exported, pictures, small_detector.IMGSZ, batch=1), strict=True,
    ):  # fmt: skip
        assert max(export.apart(one, other)) < TOLERANCE and max(export.apart(other, one)) < TOLERANCE


def test_equal_weights_give_equal_files_that_say_no_date_and_no_place(both, tmp_path):
    weights, exported = both
    export.onnx(weights, tmp_path / "again.onnx", small_detector.IMGSZ)
    assert files.digest(tmp_path / "again.onnx") == files.digest(exported)
    said = onnxruntime.InferenceSession(exported).get_modelmeta().custom_metadata_map
    assert "date" not in said and "AGPL-3.0" in said["license"]
    assert str(weights.parent).encode() not in exported.read_bytes()


def test_a_detection_that_the_other_does_not_have_is_far_apart():
    one, other = np.array([[0.1, 0.1, 0.2, 0.2, 0.9, 0], [0.5, 0.5, 0.1, 0.1, 0.8, 1]]), np.zeros((0, 6))
    assert export.apart(one, other).tolist() == [1, 1]
    assert export.apart(one, one[1:]).tolist() == [1, 0]  # of another class
    assert len(export.apart(other, one)) == 0

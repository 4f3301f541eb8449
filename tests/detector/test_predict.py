import errno
from pathlib import Path

import numpy as np
import pytest
import torch

from stages.detector import predict
from stages.problem import Problem
from tests.helpers import small_detector


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """An untrained detector's weights, as a training leaves them."""
    from ultralytics.nn.tasks import DetectionModel

    from stages.detector.trainer import save_weights

    path = tmp_path_factory.mktemp("weights") / "last.pt"
    save_weights(DetectionModel("yolov5n.yaml", nc=2, verbose=False), ARGUMENTS, path)
    return path


ARGUMENTS = {"task": "detect", "imgsz": 64, "single_cls": False}


def test_weights_of_our_own_are_read(weights):
    assert predict.names(weights) == ["0", "1"]
    (found,) = predict.predict(weights, [np.zeros((64, 64, 3), np.uint8)], 64)
    assert found.shape[1] == 6


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_one_look_gives_what_two_give(tmp_path):
    weights = small_detector.write(tmp_path / "last.pt")
    pictures = [small_detector.noise(96, 96, k) for k in range(5)]
    both = list(predict.closely(weights, pictures, 96, batch=2))
    apart = predict.predict(weights, pictures, 96, batch=2), predict.features(weights, pictures, 96, batch=2)
    assert sum(len(boxes) for boxes, _ in both) > 0
    for (boxes, feature), alone, theirs in zip(both, *apart, strict=True):
        assert np.array_equal(boxes, alone) and np.array_equal(feature, theirs)


def test_weights_that_would_run_a_program_are_refused(tmp_path):
    torch.save({"epoch": -1, "model": Evil(tmp_path / "it_ran")}, tmp_path / "evil.pt")
    with pytest.raises(Problem, match=r"evil\.pt: these are no detector's weights"):
        predict.names(tmp_path / "evil.pt")
    assert not (tmp_path / "it_ran").exists()


@pytest.mark.parametrize("content", [b"", b"junk", b"hello", bytes(1000), b"PK\x03\x04 and no more"])
def test_what_is_no_weights_is_named(tmp_path, content):
    (tmp_path / "a.pt").write_bytes(content)
    with pytest.raises(Problem, match=r"a\.pt: these are no detector's weights"):
        predict.names(tmp_path / "a.pt")


def test_a_full_disk_is_told_as_one(tmp_path, monkeypatch):
    from stages.detector.trainer import save_weights

    def full(path, _):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        save_weights(torch.nn.Linear(1, 1), ARGUMENTS, tmp_path / "last.pt")
    assert not list(tmp_path.iterdir())

"""How a detector's training is kept: a tiny one, trained for real."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
import yaml

from stages.dataset import photo
from stages.detector import model, trainer

EPOCHS = 4


@pytest.fixture
def squares(tmp_path):
    """Four pictures of a bright square each, as a YOLO dataset."""
    for part in ("train", "val"):
        for number in range(4):
            pixels = np.full((32, 32, 3), 40, np.uint8)
            pixels[8 + number : 20 + number, 10:22] = 220
            photo.save(tmp_path / "data" / "images" / part / f"{number}.png", pixels)
            label = tmp_path / "data" / "labels" / part / f"{number}.txt"
            label.parent.mkdir(parents=True, exist_ok=True)
            label.write_text(f"0 0.5 {(14 + number) / 32} 0.375 0.375\n")
    about = {"path": str(tmp_path / "data"), "train": "images/train", "val": "images/val", "names": {0: "square"}}
    (tmp_path / "data" / "data.yaml").write_text(yaml.safe_dump(about))
    return tmp_path / "data"


@pytest.fixture
def train(squares, params, tmp_path, monkeypatch):
    """Return a function that trains on them with so many seconds between two states; what the run left, and after which
    epochs it kept a state. It ends with an error after an epoch, if there is one to stop after."""
    rule = {"imgsz": 32, "epochs": EPOCHS, "batch": 2, "validations": EPOCHS}

    def run(every, folder, stop=None, **more):
        kept, write, begin = [], trainer._replace, trainer.Trainer._begin_epoch

        def replace(path, content):
            if path.name == "state.pt":
                kept.append(content["epoch"] + 1)
            write(path, content)

        def end(self):
            if self.epoch == stop:
                raise InterruptedError
            begin(self)

        monkeypatch.setattr(trainer, "KEEP_EVERY", every)
        monkeypatch.setattr(trainer, "_replace", replace)
        monkeypatch.setattr(trainer.Trainer, "_begin_epoch", end)
        try:
            said = model.train(
                squares, msgspec.structs.replace(params.now.detector, **rule | more), 0, tmp_path / folder, "squares"
            )
        except InterruptedError:
            said = None
        monkeypatch.undo()
        return said, kept

    return run


def test_a_state_is_kept_after_the_first_and_the_last_epoch_and_by_time_between_them(train):
    assert train(every=0, folder="a")[1] == [1, 2, 3, 4]
    assert train(every=3600, folder="b")[1] == [1, 4]


def test_a_run_that_goes_on_from_an_older_state_ends_with_the_same_weights(train):
    whole, _ = train(every=3600, folder="whole")
    assert train(every=3600, folder="ended", stop=3) == (None, [1])
    resumed, kept = train(every=3600, folder="ended")
    assert kept == [2, 4] and resumed.curves == whole.curves
    for one, other in ((whole.best, resumed.best), (whole.last, resumed.last)):
        mine, theirs = (torch.load(path, weights_only=False)["model"].state_dict() for path in (one, other))
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_an_epoch_draws_some_of_the_pictures_anew_and_so_does_one_that_goes_on(train):
    seen, prepare = [], trainer.DetectionTrainer.preprocess_batch

    def noted(self, batch):
        seen.append([Path(of).stem for of in batch["im_file"]])
        return prepare(self, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer.DetectionTrainer, "preprocess_batch", noted)
        whole, _ = train(every=0, folder="whole", drawn=2)
        assert [len({*of}) for of in seen] == [2] * EPOCHS  # one batch an epoch
        assert len({name for of in seen for name in of}) > 2
        train(every=0, folder="ended", stop=2, drawn=2)
        resumed, _ = train(every=0, folder="ended", drawn=2)
    assert seen[EPOCHS:] == seen[:EPOCHS] and resumed.curves == whole.curves

import pickle

import pytest
import torch

from stages.problem import Problem
from stages.training import checkpoint


def fill(folder, *at):
    for step in at:
        checkpoint.keep(folder, step, {"a": torch.full((3,), float(step)), "n": torch.tensor(step)}, {"x": step})


def test_the_last_two_are_kept_and_the_newest_is_read(tmp_path):
    fill(tmp_path, 10, 200, 30)
    assert checkpoint.steps(tmp_path) == [30, 200]
    tensors, facts, wrong = checkpoint.newest(tmp_path)
    assert tensors["a"].tolist() == [200.0] * 3
    assert tensors["n"].shape == ()
    assert (facts["x"], facts["step"], wrong) == (200, 200, [])


def test_nothing_there_is_none(tmp_path):
    assert checkpoint.newest(tmp_path) is None


@pytest.mark.parametrize("harm", ["truncated", "flipped", "pickle", "no facts", "half facts", "missing"])
def test_a_broken_one_gives_way_to_the_one_before_and_says_so(tmp_path, harm):
    fill(tmp_path, 1, 2)
    file, facts = tmp_path / "step_000000002" / "tensors.safetensors", tmp_path / "step_000000002" / "facts.json"
    whole = file.read_bytes()
    if harm == "truncated":
        file.write_bytes(whole[:-5])
    elif harm == "flipped":
        file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    elif harm == "pickle":
        trap = tmp_path / "sprung"
        file.write_bytes(pickle.dumps(Trap(str(trap))))
    elif harm == "no facts":
        facts.unlink()
    elif harm == "half facts":
        facts.write_text(facts.read_text()[:20])
    else:
        file.unlink()
    tensors, _, wrong = checkpoint.newest(tmp_path)
    assert tensors["a"].tolist() == [1.0] * 3
    assert len(wrong) == 1 and "step_000000002" in wrong[0]
    assert not (tmp_path / "sprung").exists()


class Trap:
    """Unpickling it would make a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_when_none_can_be_read_that_is_said_and_nothing_is_dropped(tmp_path):
    fill(tmp_path, 1, 2)
    for path in tmp_path.glob("*/facts.json"):
        path.write_text("{")
    with pytest.raises(Problem, match="no checkpoint can be read"):
        checkpoint.newest(tmp_path)
    assert checkpoint.steps(tmp_path) == [1, 2]


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch):
    fill(tmp_path, 1, 2)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(tmp_path), "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        fill(tmp_path, 3)
    monkeypatch.undo()
    assert checkpoint.newest(tmp_path)[1]["step"] == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step_000000001", "step_000000002"]


def test_a_run_of_other_settings_is_not_resumed_and_it_is_said_what_differs(tmp_path, capsys):
    ours = {"recipe": {"lr": 0.1, "dim": 4}, "seed": 0}
    assert checkpoint.resume(tmp_path, ours) is None
    checkpoint.keep(tmp_path, 1, {"a": torch.ones(1)}, {"identity": ours})
    found = checkpoint.resume(tmp_path, ours)
    assert found is not None and found[1]["step"] == 1
    theirs = {"recipe": {"lr": 0.2, "dim": 4, "new": 1}, "seed": 1}
    with pytest.raises(Problem, match=r"\(lr: 0\.1, now 0\.2; new: None, now 1; seed\).*TENFOLD_FRESH=1"):
        checkpoint.resume(tmp_path, theirs)
    assert checkpoint.resume(tmp_path, theirs, fresh=True, leads=False) is None and checkpoint.steps(tmp_path) == [1]
    assert checkpoint.resume(tmp_path, theirs, fresh=True) is None and checkpoint.steps(tmp_path) == []


def test_a_failed_training_says_where_and_with_which_losses_and_what_is_left(tmp_path):
    row = {"critic_loss": float("nan"), "accuracy": 0.5}
    told = str(checkpoint.failure(tmp_path, 3, row, "it is lost"))
    assert told == "step 3: it is lost (critic_loss nan); there is no checkpoint yet"
    fill(tmp_path, 1, 2)
    assert str(checkpoint.failure(tmp_path, 3, row, "it is lost")).endswith(f"checkpoint is {tmp_path}/step_000000002")


def test_a_new_start_has_to_be_asked_for(monkeypatch):
    assert not checkpoint.afresh()
    monkeypatch.setenv("TENFOLD_FRESH", "1")
    assert checkpoint.afresh()

from pathlib import Path

import numpy as np

from stages.gan import snapshots
from stages.judge import early_samples


def test_steps_that_all_have_and_the_first_of_them():
    ten = {step: Path() for step in range(2500, 50_001, 2500)}
    transfer = {step: Path() for step in range(500, 10_001, 500)}
    assert early_samples.shared([ten, transfer]) == [2500, 5000, 7500, 10_000]
    assert early_samples.shared([ten]) == [2500, 5000, 7500, 10_000, 12_500]
    assert early_samples.shared([]) == []


def test_samples_come_out_of_a_grid_as_they_went_in():
    drawn = np.random.default_rng(0).integers(0, 256, (100, 32, 32, 3), np.uint8)
    assert (early_samples.samples(snapshots.grid(drawn), 32) == drawn).all()
    assert early_samples.samples(snapshots.grid(drawn), 64).shape == (100, 64, 64, 3)


def test_grids_are_found_by_their_step(tmp_path):
    (tmp_path / "step_000000160.jpg").touch()
    assert early_samples.by_step(tmp_path) == {160: tmp_path / "step_000000160.jpg"}

import numpy as np

from stages import gpu
from stages.gan import snapshots
from stages.gan.gan_pair import GanPair
from stages.gan.snapshots import Snapshots
from stages.training.distributed import WorkerGroup
from tests.helpers.small_gan import SMALL


def test_a_grid_has_every_picture_in_reading_order():
    pictures = np.arange(100, dtype=np.uint8)[:, None, None, None] * np.ones((1, 32, 32, 3), np.uint8)
    grid = snapshots.grid(pictures)
    assert grid.shape == (320, 320, 3)
    assert (grid[16::32, 16::32, 0].ravel() == np.arange(100)).all()
    assert snapshots.grid(np.zeros((100, 512, 512, 3), np.uint8)).shape == (1280, 1280, 3)


def test_a_film_follows_the_same_pictures_through_time():
    early, late = (np.full((320, 320, 3), value, np.uint8) for value in (10, 200))
    late[:32, 32:64] = 99  # the second picture
    film = snapshots.film([early, late])
    assert film.shape == (32 * snapshots.FILMED, 64, 3)
    assert (film[:, :32] == 10).all() and (film[32:64, 32:] == 99).all() and (film[:32, 32:] == 200).all()


def test_a_resumed_run_leaves_the_same_files(tmp_path):
    """Rows of steps that are played again replace those of before."""
    pair = GanPair(SMALL, 0, WorkerGroup(gpu.device()))
    for folder, steps in (("a", (4, 8, 12)), ("b", (4, 8, 8, 12)), ("c", (4, 8, 12, 4, 8, 12))):
        keep = Snapshots(tmp_path / folder, frozenset({8}), frozenset({12}), tmp_path / folder / "timing.csv")
        for step in steps:
            keep(step, pair, 100.0, False)
    names = [sorted(p.name for p in (tmp_path / folder).rglob("*") if p.is_file()) for folder in "abc"]
    assert names == [["step_000000008.jpg", "step_000000012.safetensors", "timing.csv"]] * 3
    for folder in "abc":
        rows = (tmp_path / folder / "timing.csv").read_text().splitlines()
        assert [row.split(",")[0] for row in rows] == ["step", "4", "8", "12"]


def test_a_collapse_leaves_a_grid_and_a_generator_of_its_own(tmp_path):
    pair = GanPair(SMALL, 0, WorkerGroup(gpu.device()))
    Snapshots(tmp_path, frozenset({8}), frozenset({12}), tmp_path / "timing.csv")(5, pair, 100.0, True)
    assert (tmp_path / "grids" / "step_000000005.jpg").exists() and (tmp_path / "step_000000005.safetensors").exists()

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages import files, paths
from stages.gan import sample
from stages.gan.kept_generators import ALONG, WAYS, draw, generator, interpolation, kept_name, latent
from stages.problem import Problem
from stages.training import run_facts


@pytest.fixture
def manifest(project):
    return pd.read_csv(paths.CANDIDATES / "wgan_transfer" / "manifest.csv", keep_default_na=False)


def test_so_many_from_each_checkpoint_each_with_its_lineage(manifest):
    assert len(manifest) == 12  # four from each of three
    assert manifest["step"].value_counts().to_dict() == {32: 4, 36: 4, 40: 4}
    assert manifest["id"].is_unique and manifest["seed"].is_unique
    assert set(manifest["parents"]) == {"data/subsets/other_ten;data/subsets/ten"}
    assert set(zip(manifest["frame_width"], manifest["frame_height"], strict=True)) == {(320, 180)}
    folder = paths.CANDIDATES / "wgan_transfer"
    pictures = {f"{id_}.png" for id_ in manifest["id"]}
    assert {p.name for p in folder.iterdir()} == {"manifest.csv"} | pictures


def test_a_row_alone_draws_the_same_picture_again(manifest):
    for row in manifest.to_dict("records"):
        stored = np.asarray(Image.open(paths.CANDIDATES / "wgan_transfer" / f"{row['id']}.png"))
        assert np.array_equal(drawn_again(row), stored), row["id"]


def drawn_again(row: dict) -> np.ndarray:
    network = generator(paths.GANS / row["experiment"], int(row["step"]))
    return draw(network, latent(int(row["seed"]), network.z))


def test_it_draws_on_the_device_that_there_is(manifest, on_meta):
    with on_meta:
        drawn_again(manifest.to_dict("records")[0])


def test_candidates_differ_and_the_same_run_gives_them_again(manifest):
    folder = paths.CANDIDATES / "wgan_transfer"
    before = {p.name: files.digest(p) for p in folder.iterdir()}
    pngs = [digest for name, digest in before.items() if name.endswith(".png")]
    assert len(set(pngs)) == len(pngs)
    sample.main("wgan_transfer")
    assert {p.name: files.digest(p) for p in folder.iterdir()} == before


def test_interpolation_goes_from_one_candidate_to_the_next(project):
    network = generator(paths.GANS / "wgan_ten", 40)
    strip = interpolation(network, 0)
    size = strip.shape[0] // WAYS
    assert strip.shape == (32 * WAYS, 32 * ALONG, 3)
    assert np.array_equal(strip[:size, :size], draw(network, latent(0, network.z)))
    last = draw(network, latent(1, network.z)).astype(int)
    assert np.abs(strip[:size, -size:] - last).max() <= 1


@pytest.mark.parametrize("harm", ["weights", "facts"])
def test_what_is_missing_is_named(project, harm):
    name = kept_name(32) if harm == "weights" else run_facts.FACTS
    (paths.GANS / "wgan_ten" / name).unlink()
    with pytest.raises(Problem, match=f"{name}: no such file; has this been trained"):
        sample.main("wgan_ten")
    assert len(list((paths.CANDIDATES / "wgan_ten").glob("*.png"))) == 12  # nothing half-done took its place


def test_an_unknown_experiment_is_one_line(project):
    with pytest.raises(Problem, match="there is no 'wgan'"):
        sample.main("wgan")

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from stages import files, paths
from stages.compose import generated_objects, object_gan, paste
from stages.gan import trainer, variants
from stages.problem import Problem
from stages.training import run_facts, weights
from tests.helpers.projects import change, entered, smoke, subset

TEN, MODEL = paths.SUBSETS / "ten", paths.OBJECTS / "object_gan"
FACTS = {"frame": [40, 100], "light": [150.0, 140.0, 130.0], "category": 2, "areas": [1200.0, 1600.0]}


@pytest.fixture(scope="module")
def trained(bins, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    smoke(folder)
    change(folder, {"scales.smoke.objects.most_steps": 20})
    subset(bins, "tube_mint", 10, folder / "data" / "subsets" / "ten")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        object_gan.main("object_gan")
    return folder


@pytest.fixture
def project(trained, tmp_path, monkeypatch) -> Path:
    return entered(trained, tmp_path, monkeypatch)


def square(box=(16, 10, 32, 44), size=64):
    """A drawing: a red object with its mask, blended with the grey around it as a generator draws it."""
    x, y, w, h = box
    mask = np.zeros((size, size), np.float32)
    mask[y : y + h, x : x + w] = 1
    mask = cv2.GaussianBlur(mask, (0, 0), 1)[..., None]
    colour = mask * np.array([200, 40, 40]) + (1 - mask) * generated_objects.GREY
    return np.concatenate([colour, 255 * mask], -1).round().astype(np.uint8)


def test_examples_stand_in_one_frame_each_with_its_mask(project):
    known = generated_objects.examples(TEN, 32)
    assert len(known.squares) >= 10 and known.squares.shape[1:] == (32, 32, 4)
    width, height = known.facts["frame"]
    assert height > 1.5 * width
    assert known.facts["category"] == 2
    for one in known.squares:
        assert one[16, 16, 3] == 255 and one[0, 0, 3] < 30
        assert np.abs(one[0, 0, :3] - generated_objects.GREY).max() < 20


def test_what_an_object_gan_leaves(project):
    assert {path.name for path in MODEL.iterdir()} == {weights.GENERATOR, variants.CURVES, run_facts.FACTS}
    facts = run_facts.read(MODEL)
    assert facts["parents"] == ["data/subsets/ten"] and facts["recipe"]["steps"] == 20
    assert next(generated_objects.drawings(MODEL, 0)).shape == (32, 32, 4)
    width, height = facts["frame"]
    with Image.open(paths.PLOTS / "objects" / "object_gan.jpg") as picture:
        assert picture.size == (object_gan.COLUMNS * width, 2 * (object_gan.ROWS + 1) * height)


def test_a_killed_run_ends_with_the_same_bytes(project, monkeypatch):
    before = files.digest(MODEL / weights.GENERATOR)

    def stop(_row, step, *_):
        if step == 20:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trainer, "_sound", stop)
        with pytest.raises(KeyboardInterrupt):
            object_gan.main("object_gan")
    shutil.rmtree(MODEL)
    object_gan.main("object_gan")
    assert files.digest(MODEL / weights.GENERATOR) == before


def test_an_object_is_as_large_as_in_the_photographs_and_of_its_own_colour():
    one = generated_objects.cut(square(), FACTS)
    height, width = one.shape[:2]
    assert abs(height - 44 * 100 / 64) <= 2 and abs(width - 32 * 40 / 64) <= 2
    assert (one[..., 3] == 255).mean() > 0.95
    assert np.abs(one[..., :3].astype(int) - (200, 40, 40)).max() <= 25  # without the grey at its edge
    assert set(np.unique(one[..., 3])) <= {0, 255}


def test_what_is_empty_in_pieces_or_of_another_size_is_no_object():
    halves = square()
    halves[28:36, :, 3] = 0
    empty = np.zeros((64, 64, 4), np.uint8)
    for drawing in (empty, halves, square((25, 25, 12, 12)), square((0, 0, 64, 64))):
        assert generated_objects.cut(drawing, FACTS) is None


def test_objects_are_drawn_until_there_are_enough_or_it_is_said_that_there_are_none(project, monkeypatch):
    good, bad = square(), np.zeros((64, 64, 4), np.uint8)
    facts = run_facts.read(MODEL) | FACTS
    monkeypatch.setattr(run_facts, "read", lambda _: facts)
    monkeypatch.setattr(generated_objects, "drawings", lambda *_: iter([bad, good, bad, good, good]))
    assert len(generated_objects.objects(MODEL, 2, 0)) == 2
    monkeypatch.setattr(generated_objects, "drawings", lambda *_: iter([bad] * 100))
    with pytest.raises(Problem, match="of 40 drawings only 0 are whole objects; train it for longer"):
        generated_objects.objects(MODEL, 2, 0)


def test_the_composer_takes_them_in_place_of_cut_outs(project, monkeypatch):
    facts = run_facts.read(MODEL) | FACTS | {"frame": [14, 34], "areas": [1, 1e6]}
    monkeypatch.setattr(run_facts, "read", lambda _: facts)
    monkeypatch.setattr(generated_objects, "drawings", lambda *_: iter([square()] * 100))
    units = generated_objects.units(MODEL, 3, 0)
    assert [unit.categories for unit in units] == [(2,)] * 3
    assert np.allclose(np.median(units[0].pixels, (0, 1)) * FACTS["light"], (200, 40, 40), atol=5)
    made, placed = paste.compose(paste.stock(TEN, None, MODEL, None), seed=3)
    assert {category for category, _ in placed} == {2}
    red = np.concatenate([made[mask] for _, mask in placed]).astype(int)
    assert np.median(red[:, 0] - red[:, 1]) > 60

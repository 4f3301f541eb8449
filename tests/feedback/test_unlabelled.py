import shutil

import numpy as np
import pytest

from stages import files, paths, settings
from stages.dataset import coco
from stages.evidence import lineage
from stages.feedback import unlabelled
from stages.feedback.labels import LabelledObjects
from stages.problem import Problem
from tests.helpers.checkouts import ROOT
from tests.helpers.projects import subset

PARAMS = settings.load(ROOT / "params.yaml")
DOUBT = "an object that one detector alone sees"


@pytest.fixture
def world(bins, tmp_path, monkeypatch):
    """A project whose product has four annotated images, one to test on, and others; detectors that see the truth, but
    are not of one mind about the last photograph."""
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(ROOT / "params.yaml", "params.yaml")
    shutil.copytree(bins, paths.SOURCE)
    dataset = coco.read(bins / "annotations.json")
    coco.write(paths.ANNOTATIONS, dataset)
    mine = [i.id for i in dataset.images if i.file_name.startswith("tube_mint/")][:8]
    subset(bins, "tube_mint", 4, paths.SUBSETS / "ten")
    files.write_json(paths.SPLIT, {"train": mine[:7], "val": [], "test": mine[7:]})
    arm = paths.DETECTORS / "focus" / "paste"
    files.write_json(arm / "run.json", {"imgsz": 64, "images": {"data/subsets/ten": 4, "data/none": 0}})
    for seed in range(2):
        files.write(arm / f"{seed}.pt", b"")
    numbers, known, asked = coco.class_numbers(dataset), coco.by_image(dataset), iter([*mine[4:7], *mine[:1]])

    def see(pixels, weights, imgsz, rule):
        assert len(weights) == 2
        said = []
        for id_, _ in zip(asked, pixels, strict=False):
            there = known[id_]
            boxes = np.array([a.bbox for a in there], float) / np.array([320, 180, 320, 180])
            found = LabelledObjects(boxes, np.array([numbers[a.category_id] for a in there]), np.ones(len(there)))
            said.append(DOUBT if id_ == mine[6] else found)
        return said

    monkeypatch.setattr(unlabelled.labels, "label", see)
    return dataset, mine


def labelled():
    return coco.read(paths.LABELLED / "focus" / "annotations.json")


def facts():
    return files.read_json(paths.LABELLED / "focus" / unlabelled.FACTS)


def test_photographs_on_which_detectors_agree_get_labels_with_outlines(world):
    dataset, mine = world
    unlabelled.main("focus")
    found, truth = labelled(), coco.by_image(dataset)
    assert [image.id for image in found.images] == mine[4:6]
    for id_, given in coco.by_image(found).items():
        assert [a.category_id for a in given] == [a.category_id for a in truth[id_]]
        assert all(a.segmentation != coco.NO_MASK for a in given)
    assert facts()["left_out"] == {DOUBT: 1}
    assert (facts()["withheld"]["images"], facts()["withheld"]["precision_75"]) == (3, 1.0)


def test_somebodys_photographs_join_but_for_broken_ones_and_those_to_test_on(world):
    dataset, mine = world
    names = {image.id: image.file_name for image in dataset.images}
    folder = paths.UNLABELLED / "tube_mint"
    folder.mkdir(parents=True)
    for id_ in (mine[0], mine[7]):
        shutil.copyfile(paths.SOURCE_IMAGES / names[id_], folder / f"{id_}.png")
    files.write(folder / "notes.txt", b"none")
    files.write(folder / "__MACOSX" / "a_mac_s_own.png", b"none")
    unlabelled.main("focus")
    assert [image.file_name for image in labelled().images][2:] == [f"unlabelled/{mine[0]}.png"]
    assert labelled().images[-1].id > max(names)
    assert facts()["left_out"] == {DOUBT: 1, "nearly a photograph to test on": 1, "not a whole picture": 1}


def test_no_photographs_are_no_error(world):
    _, mine = world
    files.write_json(paths.SPLIT, {"train": mine[:4], "val": [], "test": mine[7:]})
    unlabelled.main("focus")
    assert files.read_json(paths.LABELLED / "focus" / "annotations.json")["images"] == []
    assert facts() == {"photographs": 0, "labelled": 0, "left_out": {}, "withheld": {}}


def test_one_detector_cannot_agree(world):
    (paths.DETECTORS / "focus" / "paste" / "1.pt").unlink()
    with pytest.raises(Problem, match="2 detectors have to agree"):
        unlabelled.main("focus")


def test_lineage_lets_labelled_photographs_in_but_none_to_test_on(world):
    dataset, mine = world
    unlabelled.main("focus")
    arm = PARAMS.arms["unlabelled"]
    lineage.check("unlabelled", arm, PARAMS, dataset)
    files.write_json(paths.SPLIT, {"train": mine[:5], "val": mine[5:6], "test": mine[6:]})
    with pytest.raises(Problem, match="1 images of the validation or test split"):
        lineage.check("unlabelled", arm, PARAMS, dataset)


def test_lineage_refuses_labels_by_detectors_that_saw_more_than_the_subset(world, bins):
    subset(bins, "tube_mint", 5, paths.SUBSETS / "twenty")
    run = paths.DETECTORS / "focus" / "paste" / "run.json"
    files.write_json(run, files.read_json(run) | {"images": {"data/subsets/twenty": 5}})
    unlabelled.main("focus")
    with pytest.raises(Problem, match="1 images outside its subset"):
        lineage.check("unlabelled", PARAMS.arms["unlabelled"], PARAMS, world[0])

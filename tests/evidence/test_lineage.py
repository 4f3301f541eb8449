import shutil

import msgspec
import pytest

from stages import files, paths, settings
from stages.dataset import coco
from stages.evidence import lineage
from stages.problem import Problem
from tests.helpers.checkouts import ROOT
from tests.helpers.projects import subset

PARAMS = settings.load(ROOT / "params.yaml")
PASTE, BEST, WARM = (PARAMS.arms[name] for name in ("paste", "best", "warm_paste"))


def accepted(name, *parents):
    lineage_ = {"experiment": name, "step": 0, "seed": 0, "parents": ";".join(parents)}
    images = [{"id": k, "file_name": f"{k}.png", "width": 8, "height": 8, "lineage": lineage_} for k in range(2)]
    dataset = {"images": images, "annotations": [], "categories": []}
    files.write_json(paths.ACCEPTED / name / "annotations.json", dataset)


@pytest.fixture
def world(bins, tmp_path, monkeypatch):
    """Twelve images of the product, of which six are the subset and two the test split; another product."""
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(ROOT / "params.yaml", "params.yaml")
    dataset = coco.read(bins / "annotations.json")
    ids = [i.id for i in dataset.images if i.file_name.startswith("tube_mint/")]
    subset(bins, "tube_mint", 6, paths.SUBSETS / "ten")
    subset(bins, "tube_mint", 8, paths.SUBSETS / "twenty")
    subset(bins, "bottle_azure", 4, paths.SUBSETS / "but_focus")
    accepted("paste", "data/subsets/ten")
    split = {"train": [i.id for i in dataset.images if i.id not in ids[-2:]], "val": [], "test": ids[-2:]}
    files.write_json(paths.SPLIT, split)
    return dataset, split, ids


def check(arm, world):
    lineage.check("an_arm", arm, PARAMS, world[0])


def test_a_clean_arm_passes(world):
    for arm in (PASTE, BEST, WARM):
        check(arm, world)


def test_fakes_of_fakes_are_followed_to_the_photographs(world):
    accepted("wgan_pretrained_ten", "data/subsets/ten", "data/subsets/but_focus")
    accepted("wgan_feedback", "data/accepted/wgan_pretrained_ten", "data/accepted/wgan_feedback")
    found = lineage.sources(paths.ACCEPTED / "wgan_feedback")
    assert len(found) == 10
    accepted("wgan_pretrained_ten", "data/subsets/twenty")
    arm = msgspec.structs.replace(PASTE, fakes="data/accepted/wgan_feedback")
    with pytest.raises(Problem, match="arm an_arm, subset ten: 2 images outside its subset had a part"):
        check(arm, world)


def test_all_that_is_accepted_means_all_of_the_same_images(world):
    accepted("wgan_twenty", "data/subsets/twenty")
    accepted("wgan_ten", "data/subsets/ten")
    assert lineage.fakes(BEST, PARAMS) == [paths.ACCEPTED / "wgan_ten", paths.ACCEPTED / "paste"]
    check(BEST, world)


@pytest.mark.parametrize("detector", ["judge", "labeller"])
def test_what_the_judge_and_the_labeller_saw_counts(world, detector):
    ids = world[2]
    facts = paths.DETECTORS / "focus" / detector / "images.json"
    files.write_json(facts, {"train": ids[:6], "val": []})
    check(PASTE, world)
    files.write_json(facts, {"train": ids[:7], "val": []})
    with pytest.raises(Problem, match="1 images outside its subset"):
        check(PASTE, world)


def test_they_do_not_count_where_labels_are_exact_and_nothing_was_gated(world):
    files.write_json(paths.DETECTORS / "focus" / "judge" / "images.json", {"train": world[2][:7], "val": []})
    for made in ("paste", "wgan_ten"):
        accepted(f"{made}/ungated", "data/subsets/ten")
    check(msgspec.structs.replace(PASTE, fakes="data/accepted/paste/ungated"), world)
    with pytest.raises(Problem, match="1 images outside its subset"):  # its labels are the judge's
        check(msgspec.structs.replace(PASTE, fakes="data/accepted/wgan_ten/ungated"), world)


def test_what_the_detector_that_an_arm_goes_on_from_saw_counts(world):
    files.write_json(paths.DETECTORS / "focus" / "known" / "images.json", {"train": world[2][6:7]})
    check(PASTE, world)  # which starts from scratch
    with pytest.raises(Problem, match="1 images outside its subset"):
        check(WARM, world)


def test_an_image_of_the_test_split_is_found_wherever_it_came_in(world):
    _, split, ids = world
    files.write_json(paths.SPLIT, split | {"test": [*split["test"], ids[0]]})
    with pytest.raises(Problem, match="1 images of the validation or test split had a part"):
        check(PASTE, world)
    known = files.read_json(paths.SUBSETS / "but_focus" / "annotations.json")["images"][0]["id"]
    files.write_json(paths.SPLIT, split | {"test": [], "val": [known]})
    check(PASTE, world)
    with pytest.raises(Problem, match="of the validation or test split"):
        check(WARM, world)


def leak(folder, dataset, ids):
    """Put images of the dataset into a folder of photographs, beside those that are there."""
    path = folder / "annotations.json"
    there = [image["id"] for image in files.read_json(path)["images"]] if path.exists() else []
    coco.write(path, coco.subset(dataset, [*there, *ids]))


def detectors(name):
    return lambda _, ids: files.write_json(paths.DETECTORS / "focus" / name / "images.json", {"train": ids})


def base(*parents):
    """Composed pictures of the subset's photographs, and of others."""

    def plant(dataset, ids):
        leak(paths.SUBSETS / "leak", dataset, ids)
        accepted("paste", "data/subsets/ten", *parents)

    return plant


def labels(dataset, ids):
    accepted("../labelled/focus", "data/subsets/ten")
    path = paths.LABELLED / "focus" / "annotations.json"
    shown = [{"id": i.id, "file_name": i.file_name, "lineage": {"parents": "data/subsets/ten"}}
             for i in dataset.images if i.id in ids]  # fmt: skip
    files.write_json(path, {"images": shown})


def labelled_by(dataset, ids):
    leak(paths.SUBSETS / "leak", dataset, ids)
    accepted("../labelled/focus", "data/subsets/leak")


def feedback(dataset, ids):
    leak(paths.SUBSETS / "leak", dataset, ids)
    accepted("wgan_pretrained_ten/best", "data/subsets/leak")
    accepted("paste", "data/subsets/ten", "data/accepted/wgan_pretrained_ten/best")


UNLABELLED = PARAMS.arms["unlabelled"]
PLANTED = {
    "the subset": (PASTE, lambda dataset, ids: leak(paths.SUBSETS / "ten", dataset, ids)),
    "other products' photographs": (WARM, lambda dataset, ids: leak(paths.SUBSETS / "but_focus", dataset, ids)),
    "what composed pictures are made of": (PASTE, base("data/subsets/leak")),
    "what accepted pictures were learnt from": (PASTE, feedback),
    "the judge": (PASTE, detectors("judge")),
    "the labeller": (PASTE, detectors("labeller")),
    "the detector that is gone on from": (WARM, detectors("known")),
    "photographs that nobody annotated": (UNLABELLED, labels),
    "what labels them": (UNLABELLED, labelled_by),
}


@pytest.mark.parametrize("place", PLANTED)
@pytest.mark.parametrize("whose", ["tube_mint", "bottle_azure"])
@pytest.mark.parametrize("part", ["val", "test"])
def test_a_photograph_to_test_on_is_found_wherever_it_is_slipped_in(world, place, whose, part):
    dataset, split, _ = world
    arm, plant = PLANTED[place]
    last = [image.id for image in dataset.images if image.file_name.startswith(f"{whose}/")][-1:]
    files.write_json(paths.SPLIT, {"train": split["train"], "val": [], "test": []} | {part: last})
    if arm is UNLABELLED:
        accepted("../labelled/focus", "data/subsets/ten")
    check(arm, world)
    plant(dataset, last)
    with pytest.raises(Problem, match="had a part in its training data"):
        check(arm, world)

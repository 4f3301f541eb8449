import subprocess
import sys
import time

import pytest

from stages import files, paths
from stages.evidence import folds, unseen_results
from tests.helpers import kills
from tests.helpers.checkouts import environment, run

GATE = (sys.executable, "-m", "stages.evidence.gate")
FOLD = (sys.executable, "-m", "stages.evidence.fold")


@pytest.fixture(scope="module")
def alone(done):
    """The checkout in which everything has run, but without test images of the product in focus."""
    split = files.read_json(done / paths.SPLIT)
    images = files.read_json(done / paths.ANNOTATIONS)["images"]
    mine = {image["id"] for image in images if image["file_name"].startswith("tube_mint/")}
    split["test"] = [id_ for id_ in split["test"] if id_ not in mine]
    (done / paths.SPLIT).unlink()
    files.write_json(done / paths.SPLIT, split)
    run(done, sys.executable, "-m", "stages.evidence.compare_arms")
    return done


def test_where_there_are_test_images_these_decide(complete):
    decided = files.read_json(complete / paths.EVIDENCE / "results.json")["focus"]["gate"]
    assert files.read_json(complete / paths.METRICS / "gate.json").items() <= decided.items()
    assert files.read_json(complete / paths.GATE / "folds.json") == {}
    assert [path.read_text().strip() for path in (complete / paths.FOLDS).glob("*.json")] == ["{}"] * folds.FOLDS
    seen = unseen_results.read(files.read_json(complete / paths.GATE / "unseen.json"))
    assert seen.kind == "validation"
    assert {scene.image for scene in seen.scenes} <= set(files.read_json(complete / paths.SPLIT)["val"])


def test_ten_images_alone_are_looked_at_fold_by_fold_and_a_killed_run_goes_on(alone):
    work = alone / ".checkpoints" / "folds"
    kills.once((*FOLD, "0"), alone, lambda: bool(list(work.rglob("done.pt"))))
    subset = files.read_json(alone / paths.SUBSETS / "ten" / "annotations.json")
    dealt = folds.deal([image["id"] for image in subset["images"]], [], 0)
    places = list(work.rglob("own"))
    assert places
    for own in places:
        there = {image["id"] for image in files.read_json(own / "annotations.json")["images"]}
        assert len(dealt[0]) in (3, 4) and there == {image["id"] for image in subset["images"]} - {*dealt[0]}
    before = {path: path.stat().st_mtime_ns for path in work.rglob("done.pt")}
    again = subprocess.Popen((*FOLD, "0"), cwd=alone, env=environment(alone), stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)  # fmt: skip
    kept = {}
    while again.poll() is None:
        kept |= {path: path.stat().st_mtime_ns for path in before if path.exists()}
        time.sleep(0.05)
    assert again.returncode == 0, again.stdout.read()
    assert kept == before  # not trained again
    for number in range(1, folds.FOLDS):
        run(alone, *FOLD, str(number))
    seen = [files.read_json(alone / paths.FOLDS / f"{number}.json") for number in range(folds.FOLDS)]
    assert [[scene["image"] for scene in of["paste"]["scenes"]] for of in seen] == dealt
    run(alone, *GATE)
    found = files.read_json(alone / paths.GATE / "folds.json")
    assert (found["images"], found["folds"]) == (10, 3)
    assert set(found["arms"]) == {"zero_shot", "ten_standard", "paste", "warm_paste"}
    decided = files.read_json(alone / paths.METRICS / "gate.json")
    assert {"include_fakes", "promote_product"} <= decided.keys()
    assert "paste against ten_standard" in decided["include_fakes_why"]
    assert decided["promote_product_why"].endswith("by 3 folds of its 10 training images, having no others")
    assert not list(work.rglob("*.pt"))


def test_images_are_dealt_once_to_folds_of_one_size():
    dealt = folds.deal(list(range(100, 111)), [], 3)
    assert sorted(id_ for fold in dealt for id_ in fold) == list(range(100, 111))
    assert [len(fold) for fold in dealt] == [4, 4, 3]
    assert dealt == folds.deal(list(range(100, 111)), [], 3) != folds.deal(list(range(100, 111)), [], 4)
    assert folds.deal([7, 8], [], 0) in ([[7], [8]], [[8], [7]])


def test_nearly_the_same_photographs_are_in_one_fold():
    ids, near = list(range(100, 110)), [[100, 105, 109], [103, 104], [7, 8]]
    for seed in range(20):
        dealt = folds.deal(ids, near, seed)
        assert sorted(id_ for fold in dealt for id_ in fold) == ids and [len(fold) for fold in dealt].count(0) == 0
        assert all(len({k for k, fold in enumerate(dealt) if set(fold) & set(of)}) <= 1 for of in near)
    assert folds.deal(ids, [ids], 0) == [ids]  # which is none to test on

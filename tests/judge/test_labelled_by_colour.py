from collections import Counter

import pytest

from benchmarks import judge_labelled
from stages import tables
from stages.judge import reference, review_records, score_labelled
from stages.judge.colours import COLOURS
from tests.helpers.checkouts import ROOT

FOLDER = ROOT / judge_labelled.FOLDER


@pytest.fixture(scope="module")
def labels():
    return tables.read(FOLDER / "labels.csv")


def test_labels_are_of_the_very_pictures_that_lie_beside_them(labels):
    pictures = {path.stem: review_records.mark(path) for path in (FOLDER / "candidates").iterdir()}
    assert dict(zip(labels["id"], labels["picture"], strict=True)) == pictures
    assert set(labels["verdict"]) <= set(COLOURS)


def test_the_judge_s_colours_are_alike_many_of_both_products_and_some_are_labelled_twice(labels):
    assert all(labels["drawn"].value_counts()[colour] >= 50 for colour in COLOURS)
    assert set(labels["product"]) == score_labelled.OWN.keys()
    assert (labels["again"] != "").sum() == 60


def test_the_training_photographs_lie_beside_them(labels):
    folders = {name for row in labels["training"] for name in row.split(";")}
    assert folders == {path.name for path in (FOLDER / "training").iterdir()}
    for own in score_labelled.OWN.values():
        of = reference.read([FOLDER / "training" / own], 64)
        assert len(of) == 10
        assert all(len(boxes) for boxes in of.boxes)


def test_agreement_counts_every_colour_alike_and_beyond_chance():
    pairs = [("white", "white")] * 6 + [("green", "white")] * 2
    assert judge_labelled.balanced(pairs) == 0.5
    assert judge_labelled.agreement(pairs)["kappa"] == "0.000 (0.000 to 0.000)"
    assert str(judge_labelled.agreement(pairs)["alike"]).startswith("0.750")


def test_a_copy_that_is_called_green_is_told_apart_from_other_mistakes():
    said = Counter(
        {("green", "green"): 3, ("red", "green"): 1, ("yellow", "green"): 1, ("red", "red"): 4, ("green", "red"): 1}
    )
    found = judge_labelled.of_green(list(said.elements()))
    assert found["copies accepted"] == "1 of 5"
    assert str(found["precision of green"]).startswith("0.600 ")
    assert str(found["recall of green"]).startswith("0.750 ")
    assert judge_labelled.of_green([("green", "white")])["precision of green"] == "none"

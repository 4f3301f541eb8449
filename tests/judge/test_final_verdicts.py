import pandas as pd
import pytest
from PIL import Image

from stages import files, paths
from stages.judge import final_verdicts, review_records

NAMES = [f"x_{k}" for k in range(4)]


@pytest.fixture
def judged(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (paths.CANDIDATES / "x").mkdir(parents=True)
    for k, name in enumerate(NAMES):
        Image.new("RGB", (8, 8), (k, 0, 0)).save(paths.CANDIDATES / "x" / f"{name}.png")
    table = pd.DataFrame({
        "id": NAMES, "verdict": ["green", "red", "red", "white"], "reason": "as judged", "nearest": "near.png",
        "distance": [0.3, 0.05, 0.3, 0.3], "threshold": 0.1, "arrangement_like": "like.png",
        "boxes": "[]",
    })  # fmt: skip
    paths.JUDGED.mkdir(parents=True)
    table.to_csv(paths.JUDGED / "x.csv", index=False)
    files.write_json(paths.JUDGED / "x.json", {"distinct": 3})


def say(*rows):
    marks = {name: review_records.mark(paths.CANDIDATES / "x" / f"{name}.png") for name in NAMES}
    made = [review_records.new(who, id_, marks.get(id_, "none"), "verdict", value) for who, id_, value in rows]
    review_records.write(review_records.path("x"), made)


def result():
    final_verdicts.main("x")
    return pd.read_csv(paths.VERDICTS / "x.csv"), files.read_json(paths.VERDICTS / "x.json")


def test_what_a_person_has_called_doubtful_is_decided(judged):
    say(("ann", "x_0", "yellow"))
    table, _ = result()
    table.loc[1, ["verdict", "reason"]] = "yellow", "new, but 1 ghost"
    assert final_verdicts.undecided(table).tolist() == [False, True, False, False]


def test_without_a_word_of_anybody_the_judge_s_verdicts_count(judged):
    table, facts = result()
    assert (table["verdict"] == table["judged"]).all()
    assert facts["distinct"] == 3 and facts["colours"]["red"]["count"] == 2
    assert facts["copied"] == {"near.png": 1, "like.png": 1}  # by its pixels, by its arrangement
    assert facts["reviews"] == {"candidates": 0, "agreed": 0, "kappa": None, "disputed": 0, "gone": 0}


def test_a_person_s_word_goes_before_the_judge_s(judged):
    say(("Ada", "x_0", "red"), ("Ada", "x_1", "red"), ("Ada", "x_3", "white"))
    table, facts = result()
    assert table["verdict"].tolist() == ["red", "red", "red", "white"]
    assert table["judged"].tolist() == ["green", "red", "red", "white"]
    assert table["reason"][0] == "red, says Ada"
    assert facts["reviews"] == {"candidates": 3, "agreed": 2, "kappa": 0.5, "disputed": 0, "gone": 0}


def test_people_who_disagree_leave_the_judge_s_verdict_and_unknown_names_are_counted(judged, capsys):
    say(("Ada", "x_0", "red"), ("Bo", "x_0", "white"), ("Ada", "no_such", "red"))
    table, facts = result()
    assert table["verdict"][0] == "green"
    assert (facts["reviews"]["disputed"], facts["reviews"]["gone"]) == (1, 1)
    assert "1 rows are of pictures that are not there" in capsys.readouterr().out


def test_a_new_picture_under_an_old_name_is_not_what_was_reviewed(judged):
    say(("Ada", "x_0", "red"))
    Image.new("RGB", (8, 8), (99, 0, 0)).save(paths.CANDIDATES / "x" / "x_0.png")
    table, facts = result()
    assert table["verdict"][0] == "green" and facts["reviews"]["gone"] == 1

from dataclasses import replace

import pytest

from stages.judge import review_records
from stages.judge.colours import interval, kappa
from stages.problem import Problem

ROW = review_records.new("Ada", "x_1", "abc", review_records.VERDICT, "red")


def test_rows_are_kept_as_they_were_said(tmp_path):
    file = tmp_path / "x.csv"
    assert review_records.read(file) == []
    rows = [ROW, replace(ROW, who='Bo, "the" other', what=review_records.RATING, value="5")]
    review_records.write(file, rows)
    assert review_records.read(file) == rows
    assert file.read_text().splitlines()[0] == "when,who,id,picture,what,value"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,verdict\n", "first line must be"),
        ("when,who,id,picture,what,value\nnow,Ada,x\n", "line 2: 6 values"),
        ("when,who,id,picture,what,value\nnow,Ada,x,abc,verdict,blue\n", "line 2: value: 'blue' is not allowed"),
        ("when,who,id,picture,what,value\nnow,Ada,x,abc,mood,good\n", "line 2: what: 'mood' is not allowed"),
        ("when,who,id,picture,what,value\nnow,,x,abc,verdict,red\n", "line 2: who says it"),
        (f"when,who,id,picture,what,value\nnow,{'A' * 101},x,abc,verdict,red\n", "line 2: who says it"),
        (f"when,who,id,picture,what,value\nnow,{'A' * 140_000},x,abc,verdict,red\n", "no table .field larger"),
        ("when,who,id,picture,what,value\nnow,=1+1,x,abc,verdict,red\n", "line 2: who says it"),
        ("when,who,id,picture,what,value\nnow,\udcff,x,abc,verdict,red\n", "no table .*utf-8"),
    ],
)
def test_a_file_mended_wrongly_by_hand_is_one_line(tmp_path, text, said):
    (tmp_path / "x.csv").write_text(text, errors="surrogateescape")
    with pytest.raises(Problem, match=said):
        review_records.read(tmp_path / "x.csv")


@pytest.mark.parametrize("who", ["", "A" * 140_000, "Ada\nBo", "\ud800", '=HYPERLINK("x")', "@SUM(1)"])
def test_a_name_that_no_table_could_hold_is_refused_before_it_is_written(who):
    with pytest.raises(Problem, match="who says it"):
        review_records.new(who, "x_1", "abc", review_records.VERDICT, "red")


def test_undo_takes_back_a_person_s_own_last_word():
    other = replace(ROW, who="Bo", value="green")
    assert review_records.without_last([ROW, other], "Ada") == ([other], ROW)
    assert review_records.without_last([other], "Ada") == ([other], None)


def test_the_last_word_counts_then_the_most_votes_and_a_draw_leaves_it_open():
    marks = {"x_1": "abc", "x_2": "def"}

    def said(*rows):
        return review_records.said([replace(ROW, who=who, value=value) for who, value in rows], marks)

    assert said(("Ada", "red"), ("Ada", "green")).verdicts == {"x_1": ("green", "Ada")}
    assert said(("Ada", "red"), ("Bo", "green"), ("Cy", "red")).verdicts == {"x_1": ("red", "Ada, Cy")}
    torn = said(("Ada", "red"), ("Bo", "green"))
    assert (torn.verdicts, torn.disputed) == ({}, ["x_1"])


def test_a_word_on_another_picture_or_on_none_does_not_count():
    marks = {"x_1": "another picture"}
    found = review_records.said([ROW, replace(ROW, id="gone")], marks)
    assert (found.verdicts, found.gone) == ({}, 2)


def test_stars_are_no_verdict():
    assert review_records.said([replace(ROW, what=review_records.RATING, value="1")], {"x_1": "abc"}).verdicts == {}


def test_kappa_by_hand():
    pairs = [("green", "green")] * 20 + [("green", "red")] * 5 + [("red", "green")] * 10 + [("red", "red")] * 15
    assert kappa(pairs) == pytest.approx(0.4)  # agreed 0.7, by chance 0.5
    assert kappa([("red", "red")] * 3) is None
    assert kappa([]) is None


def test_an_interval_holds_its_share_and_nothing_says_nothing():
    assert interval(4, 300) == pytest.approx((0.0052, 0.0338), abs=1e-4)  # Wilson's, by hand
    assert interval(0, 0) == (0.0, 1.0)

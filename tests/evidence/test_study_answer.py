import pytest

from stages import paths
from stages.evidence import compare, seed_spread, study_answer
from stages.evidence.statistics import Spread
from tests.helpers.study_rows import EVERY, PARAMS, PRODUCTS, rows, summary


def test_an_arm_its_gain_and_how_much_of_the_way_it_closes():
    found = summary(rows())
    paste = found["arms"]["paste"]
    assert paste["value"] == pytest.approx(0.65, abs=0.01)
    assert paste["against"]["value"] == pytest.approx(0.1, abs=0.01)
    assert paste["against"]["word"] == "helps"
    assert paste["closed"]["value"] == pytest.approx(0.5, abs=0.05)
    assert paste["closed"]["low"] < 0.5 < paste["closed"]["high"]
    assert set(paste["by_product"]) == set(PRODUCTS)
    assert paste["shifted"]["other_bin"] == pytest.approx(paste["value"] / 2)
    assert found["arms"]["all"]["value"] == pytest.approx(0.75, abs=0.01)
    assert found["choices"]["ten_standard"]["separated"]["against_random"]["value"] == pytest.approx(-0.05, abs=0.01)
    assert found["old"]["tube_mint"] == {"map50_95": 0.0, "map_any_class": 0.3}
    assert found["spread"].keys() == set(compare.MEASURES)
    assert 0.001 < found["spread"]["map50_95"]["value"] < 0.02 and found["spread"]["map50_95"]["freedom"] > 1


def test_what_ten_with_fakes_are_worth_is_read_from_the_curve():
    worth = summary(rows())["worth"]["paste"]
    assert 30 < worth["low"] < worth["worth"] < worth["high"] < 50  # 0.65 lies between 20 and 50 photographs
    assert worth["most"] == EVERY
    assert summary(rows(gain=0.3))["worth"]["paste"]["worth"] == EVERY
    assert summary(rows(gain=-0.9))["worth"]["paste"]["worth"] == 1


def test_a_curve_is_read_along_the_logarithm():
    counts, values = [1, 10, 100], [0.2, 0.4, 0.6]
    assert study_answer.photographs(0.5, counts, values) == pytest.approx(10**1.5)
    assert study_answer.photographs(0.4, counts, values) == pytest.approx(10)
    assert study_answer.photographs(0.1, counts, values) == 1
    assert study_answer.photographs(0.7, counts, values) == 100
    assert study_answer.photographs(0.5, counts, [0.4, 0.2, 0.6]) == pytest.approx(10**1.5)  # a dip is not read


def test_arms_are_compared_on_what_both_have_run():
    """Not every draw is done, in a study that goes on: a missing run of one arm takes the other's out, too."""
    whole = rows()
    some = {p: [r for r in of if not (r["arm"] == "paste" and r["draw"] == 2)] for p, of in whole.items()}
    answer = study_answer.Answer(some, dict.fromkeys(PRODUCTS, EVERY), PARAMS)
    both = answer.common([answer.at("paste"), answer.at("ten_standard")])
    assert both is not None and [len(scores.runs) for arm in both for scores in arm] == [2] * 6
    alone = answer.common([answer.at("ten_standard")])
    assert alone is not None and [len(scores.runs) for scores in alone[0]] == [3] * 3
    assert answer.common([answer.at("paste"), answer.at("mosaic")]) is None
    nothing = summary({p: [] for p in PRODUCTS})
    assert nothing["arms"] == {} and nothing["curve"] == {}


def test_products_that_disagree_widen_the_interval_of_the_gain():
    widths = []
    for change in (0.0, 0.08):
        of = rows()
        for row_ in of["can_cobalt"]:
            if row_["arm"] == "paste":
                row_["map50_95"] += change
        gain = summary(of)["arms"]["paste"]["against"]
        widths.append(gain["high"] - gain["low"])
    assert widths[1] > 3 * widths[0]


def test_the_known_products_have_a_spread_of_their_own():
    of = rows(draws=2)
    of["tube_mint"][-1]["known"] = {"map50_95": 0.8, "found": 0.99}  # the old detector's own
    for k, one in enumerate(one for one in of["tube_mint"] if one["arm"] == "paste"):
        one["known"] = {"map50_95": 0.78 + 0.002 * k, "found": 0.98}
    found = summary(of)["spread"]
    assert found["known_map50_95"] == {"value": pytest.approx(0.002, abs=1e-6), "freedom": 1}  # √2 times 0.002 / √2
    assert found["known_found"]["value"] == pytest.approx(0)


def test_the_spread_of_a_committed_study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert seed_spread.from_study() == {}
    paths.STUDY.parent.mkdir(parents=True)
    paths.STUDY.write_text('{"spread": {"found": {"value": 0.02, "freedom": 12}}}')
    assert seed_spread.from_study() == {"found": Spread(0.02, 12)}

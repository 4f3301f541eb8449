import shutil

import pytest

from stages import files, paths, settings
from stages.report import answer, index
from tests.helpers.checkouts import ROOT

PARAMS = settings.load(ROOT / "params.yaml")


def arm(value, images, **more):
    zero = dict.fromkeys(("class", "place", "both", "double", "background", "missed"), 1.0)
    return {"map50_95": value, "low": value - 0.05, "high": value + 0.05, "seeds": [value, value], "map50": value,
            "found": value, "errors": zero, "run": {"images": images}, **more}  # fmt: skip


@pytest.fixture
def results():
    gain = {"value": 0.1, "low": 0.05, "high": 0.15, "p": 0.001, "least": 0.07, "corrected": 0.001, "word": "helps"}
    ten = {"data/subsets/ten": 10}
    return {
        "group": "tube_mint", "test_images": 115, "test_objects": 500,
        "roles": {"few": "ten", "baseline": "ten_standard", "ceiling": "all", "warm": None},
        "arms": {
            "ten": arm(0.4, ten), "ten_standard": arm(0.5, ten),
            "paste": arm(0.6, ten | {"data/accepted/paste": 300}, against={"ten_standard": gain},
                         closed={"value": 0.5, "low": 0.4, "high": 0.625}),
            "all": arm(0.7, {"data/subsets/group": 105}),
        },
        "gate": {"include_fakes": 1, "include_fakes_why": "it helps", "promote_product": 1,
                 "promote_product_why": "it is better", "chosen": "paste"},
    }  # fmt: skip


def test_the_answer_in_three_lines(results):
    assert answer.sentences(results, PARAMS.arms, PARAMS) == [
        "The fakes of paste help: with 10 real photographs and standard augmentation the detector reaches mAP50-95 "
        "0.500, with the fakes 0.600, a difference of +0.100 (95 % interval +0.050 to +0.150) on 115 real test images.",
        "All 105 photographs reach 0.700, 7.9 hours of annotating more; the fakes close 50 % (40 to 62) of the way "
        "there.",
        "Gate: the product's detector is promoted (paste), with fakes.",
    ]


@pytest.mark.parametrize(("word", "said"), [("hurts", "paste hurt"), ("inconclusive", "paste cannot be shown to help")])
def test_it_says_so_when_they_do_not_help(results, word, said):
    results["arms"]["paste"]["against"]["ten_standard"]["word"] = word
    assert said in answer.sentences(results, PARAMS.arms, PARAMS)[0]


def test_one_seed_decides_nothing_and_says_what_it_could_see(results):
    for one in results["arms"].values():
        one["seeds"] = one["seeds"][:1]
    assert answer.sentences(results, PARAMS.arms, PARAMS)[-1] == (
        "This is one seed, and nothing is decided by it: a difference under 0.070 could not be told from chance."
    )
    results["arms"]["paste"]["against"]["ten_standard"]["least"] = 1.0
    assert "is not known here" in answer.sentences(results, PARAMS.arms, PARAMS)[-1]


def test_where_it_is_uncertain_that_more_photographs_help_nothing_is_closed(results):
    del results["arms"]["paste"]["closed"]
    assert "is not certain here" in answer.sentences(results, PARAMS.arms, PARAMS)[1]


def test_without_the_primary_arm_there_is_no_answer(results):
    del results["arms"]["paste"]
    (line,) = answer.sentences(results, PARAMS.arms, PARAMS)
    assert "no answer yet" in line


def test_a_project_in_which_nothing_ran_has_a_page_that_says_so(tmp_path, monkeypatch):
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    index.main()
    text = (tmp_path / paths.REPORTS / "index.html").read_text()
    assert "there is no answer" in text
    assert text.count("Not run.") == len(PARAMS.all_experiments)


def test_a_product_without_test_images_shows_what_its_folds_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert index.by_folds() == []
    files.write_json(paths.GATE / "folds.json", {})  # it has test images
    assert index.by_folds() == []
    gain = {"value": 0.1, "low": -0.05, "high": 0.25, "p": 0.2}
    files.write_json(paths.GATE / "folds.json", {
        "group": "can_rose", "images": 10, "folds": 5,
        "arms": {"zero_shot": {"map50_95": 0.2, "low": 0.1, "high": 0.3, "against": {}},
                 "warm_ten": {"map50_95": 0.3, "low": 0.2, "high": 0.4, "against": {"zero_shot": gain}}},
        "gate": {"include_fakes": 0, "include_fakes_why": "none",
                 "promote_product": 0, "promote_product_why": "unsure"},
    })  # fmt: skip
    text = "\n".join(index.by_folds())
    assert "can_rose: 10 photographs and no others" in text and "each of 5 folds" in text and "unsure" in text
    assert "+0.100" in text and "0.250" in text


@pytest.mark.parametrize("width", [420, 1300])
@pytest.mark.parametrize(("name", "first"), [("index", "tube_mint"), ("thesis", "What differs everywhere")])
def test_the_page_in_a_browser(complete, browser, width, name, first):
    """No console error, every image loads and has a description, nothing is requested, nothing is cut off."""
    said, asked = [], []
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    address = (complete / paths.REPORTS / f"{name}.html").as_uri()
    page.goto(address)
    loaded = page.evaluate("[...document.images].map(i => i.complete && i.naturalWidth > 0 && i.alt.length > 10)")
    described = page.evaluate("[...document.querySelectorAll('svg')].map(s => (s.ariaLabel || '').length > 10)")
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    heading = page.inner_text("h2")
    page.close()
    assert not said
    assert [url for url in asked if not url.startswith("data:")] == [address]
    assert loaded and all(loaded)
    assert described and all(described)
    assert overflow <= 0
    assert first in heading


def test_it_shows_the_numbers_that_dvc_compares(complete):
    text = (complete / paths.REPORTS / "index.html").read_text()
    metrics = files.read_json(complete / paths.METRICS / "evidence.json")
    for name in ("ten_standard", "paste", "all", "zero_shot"):
        assert f"{metrics[f'{name}_map50_95']:.3f}" in text
    assert "ten_map50_95" not in metrics  # params.yaml says to skip it
    labels = files.read_json(complete / paths.METRICS / "labels.json")
    assert f"{labels['precision_50']:.3f}" in text
    assert "What pictures are composed of" in text

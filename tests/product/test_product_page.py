import re

import pytest

from stages import files, paths, settings
from stages.evidence import unseen_results
from stages.product import card, product_page
from stages.product.card import Measured, Rates, Threshold
from tests.helpers.decided import NAMES, without_tests

PRODUCT = paths.RELEASED / "tube_mint"


@pytest.fixture
def html(built, monkeypatch):
    monkeypatch.chdir(built)
    return (PRODUCT / card.PAGE).read_text()


def test_it_opens_by_itself_and_runs_nothing(html):
    assert "<script" not in html and "paste is <b>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html and NAMES["B"] in html
    assert not re.search(r"(src|href)=\"(?!data:|#)", html)


def test_photographs_come_first_and_the_command_after_the_answer(html):
    heads = re.findall(r"<h2>(.*?)</h2>", html)
    assert heads[:5] == ["What it finds", "Where it fails", "Composed of your photographs", "The answer",
                         "What to do next"]  # fmt: skip
    tests = set(files.read_json(paths.SPLIT)["test"])
    names = [i["file_name"] for i in files.read_json(paths.ANNOTATIONS)["images"] if i["id"] in tests]
    shown = html[html.index("What it finds") : html.index("Composed of")]
    assert set(re.findall(r"<figcaption>(\S+):", shown)) <= {name.removeprefix("tube_mint/") for name in names} != set()
    assert "<td>your photographs and pictures made of them</td>" in html
    assert "make next PHOTOS=many_photographs PRODUCT=tube_mint" in html
    assert "make detect PHOTOS=my_photographs PRODUCT=tube_mint" in html
    assert "reaches mAP50-95 0.500" in html and "paste is put to use" in html


def test_a_product_with_its_photographs_alone_shows_what_folds_saw(project, built):
    without_tests("tube_mint")
    files.write_json(paths.EVIDENCE / "results.json", {})
    about = card.read(built / PRODUCT)
    seen = unseen_results.Unseen("folds", unseen_results.read(files.read_json(paths.GATE / "unseen.json")).scenes)
    said = product_page.render(about, seen, [], settings.load())
    assert "What it finds" in said and "Fakes: they help" in said and "reaches mAP50-95" not in said


def test_what_is_found_stands_beside_the_precision_of_the_same_photographs(built):
    about = card.read(built / PRODUCT)
    chosen, tested = (
        Rates(Measured(right, 0, 1), Measured(found, 0, 1)) for right, found in ((0.96, 0.4), (0.71, 0.6))
    )
    about.thresholds["precision"] = Threshold(0.3, chosen)
    assert '<b>40 %</b><span class="soft">found where 19 of 20 boxes are right</span>' in product_page.tiles(about)
    about.thresholds["precision"] = Threshold(0.3, chosen, tested)
    said = "found at 71 % precision on test photographs; the threshold was chosen for 95 %"
    assert f'<b>60 %</b><span class="soft">{said}</span>' in product_page.tiles(about)
    assert "19 of 20" not in product_page.tiles(about)


@pytest.mark.parametrize("width", [420, 1300])
def test_nothing_is_wider_than_the_window(built, browser, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto((built / PRODUCT / card.PAGE).resolve().as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    captions = "[...document.querySelectorAll('.figures figcaption')]"
    page.evaluate(f"{captions}.forEach(c => c.textContent = 'a_long_name_'.repeat(20))")
    assert page.evaluate(f"{captions}.every(c => c.scrollWidth <= c.clientWidth)")
    page.close()

import msgspec

from stages import files, paths, settings
from stages.judge import score_labelled
from tests.helpers.checkouts import ROOT
from tests.helpers.projects import change, smoke

FOLDER = ROOT / "tests" / "judge" / "labelled_by_colour"


def test_of_a_judge_that_looks_at_less_than_the_person_saw_there_are_no_figures(tmp_path, monkeypatch, capsys):
    smoke(tmp_path)
    monkeypatch.chdir(tmp_path)
    score_labelled.main(str(FOLDER))
    assert files.read_json(paths.JUDGE_TESTS / "labelled" / "figures.json") == {}
    assert "the judges look at 32 pixels, and 64 were shown; no figures" in capsys.readouterr().out


def test_of_other_products_there_are_no_figures(tmp_path):
    smoke(tmp_path)
    change(tmp_path, {"scale": "demo"})
    params = settings.load(tmp_path / "params.yaml")
    assert score_labelled.strange(params) == ""
    products = msgspec.structs.replace(params.products, focus="can_cobalt")
    assert "they show tube_mint and bottle_azure" in score_labelled.strange(
        msgspec.structs.replace(params, products=products)
    )

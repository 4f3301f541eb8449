from types import SimpleNamespace

import msgspec

from stages import files, paths, settings, tables
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


def test_where_gans_draw_something_else_there_are_no_figures(tmp_path):
    smoke(tmp_path)
    change(tmp_path, {"scale": "thesis"})
    assert "GANs draw 256 pixels here, and drew 64" in score_labelled.strange(settings.load(tmp_path / "params.yaml"))


def test_composed_ones_are_told_from_what_gans_drew_by_their_shape(tmp_path, monkeypatch):
    smoke(tmp_path)
    change(tmp_path, {"scale": "demo"})
    labels, asked = tables.read(FOLDER / "labels.csv"), []
    labels = labels.groupby("experiment").head(1).reset_index(drop=True)
    monkeypatch.setattr(score_labelled.picture_judge, "load", lambda *of: asked.append(of[-2]))
    monkeypatch.setattr(
        score_labelled.picture_judge, "judge", lambda pixels, *_: [SimpleNamespace(colour="")] * len(pixels)
    )
    score_labelled.judged(FOLDER, labels, settings.load(tmp_path / "params.yaml"))
    whole = ~labels["experiment"].str.startswith("wgan")
    kinds = {(row.product, row.training, bool(of)) for row, of in zip(labels.itertuples(), whole, strict=True)}
    assert sorted(asked) == sorted(128 if of else 64 for *_, of in kinds)

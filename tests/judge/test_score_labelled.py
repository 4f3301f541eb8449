import pandas as pd

from stages import files, paths
from stages.judge import score_labelled
from stages.judge.colours import COLOURS
from tests.helpers.checkouts import ROOT

FOLDER = ROOT / "tests" / "judge" / "labelled"


def test_every_sample_has_a_label_and_known_training_images():
    labels = pd.read_csv(FOLDER / "labels.csv")
    assert len(labels) >= 200
    assert set(labels["verdict"]) <= set(COLOURS)
    assert {f"{id_}.png" for id_ in labels["id"]} == {path.name for path in FOLDER.glob("*.png")}
    parents = {parent for row in labels["parents"] for parent in row.split(";")}
    assert parents == files.read_json(FOLDER / "training.json").keys()


def test_with_other_training_images_there_are_no_figures(tmp_path, monkeypatch, capsys):
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    monkeypatch.chdir(tmp_path)
    score_labelled.main(str(FOLDER))
    assert files.read_json(paths.JUDGE_TESTS / "labelled" / "figures.json") == {}
    assert "no figures" in capsys.readouterr().out


def test_a_subset_is_told_by_its_pictures(hand):
    images = [("a.png", 20, 10), ("b.png", 20, 10)]
    folder = hand(images, [{"bbox": [1, 1, 5, 5]}]).parent
    first = score_labelled.training(folder)
    assert first == score_labelled.training(folder)
    (folder / "images" / "b.png").write_bytes((folder / "images" / "a.png").read_bytes())
    assert score_labelled.training(folder) not in ("", first)
    assert score_labelled.training(folder / "none") == ""

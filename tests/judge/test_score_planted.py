from stages import settings
from stages.judge import score_planted
from tests.helpers.checkouts import ROOT


def test_where_no_other_product_has_images_to_validate_on_the_judge_is_tested_on_the_product_itself(monkeypatch):
    monkeypatch.setattr(score_planted, "known_groups", lambda *_: {"mug": [], "cup": []})
    monkeypatch.setattr(score_planted, "known", lambda *_: None)
    assert score_planted.other_bench(settings.load(ROOT / "params.yaml"), "focus") is None

from dataclasses import dataclass

import pytest

from stages.problem import Problem
from stages.training import run_facts


@dataclass
class Recipe:
    betas: tuple[float, float]


def test_what_is_noted_is_read_and_the_fingerprint_follows_recipe_seed_and_sources(tmp_path):
    (tmp_path / "subset").mkdir()
    (tmp_path / "subset" / "a.txt").write_text("a")
    marks = []
    for recipe, seed, text in (((0.5, 0.9), 0, "a"), ((0.5, 0.99), 0, "a"), ((0.5, 0.9), 1, "a"), ((0.5, 0.9), 0, "b")):
        (tmp_path / "subset" / "a.txt").write_text(text)
        run_facts.write(tmp_path / "run", "one", Recipe(recipe), seed, [tmp_path / "subset"], steps=40)
        facts = run_facts.read(tmp_path / "run")
        assert (facts["name"], facts["recipe"], facts["steps"]) == ("one", {"betas": list(recipe)}, 40)
        assert "torch" in facts["versions"]
        marks.append(facts["fingerprint"])
    assert len(set(marks)) == 4


def test_a_run_that_was_not_is_one_line(tmp_path):
    with pytest.raises(Problem, match="has this been trained"):
        run_facts.read(tmp_path)

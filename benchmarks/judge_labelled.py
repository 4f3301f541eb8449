"""How far the judge and a person agree, on candidates that were labelled by eye without its verdict being shown.

tests/judge/labelled_by_colour holds them, and the training photographs that they are to be compared with, so that they
say something of every judge of these products that looks at no less, where GANs draw as much. It was drawn
by the judge's colours, each alike, for all its greens of GANs are few: figures are of this mixture. Nothing is ever
fitted or chosen on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import conditions
from benchmarks.judge import share
from stages import command, settings, tables
from stages.judge import score_labelled
from stages.judge.colours import COLOURS, kappa
from stages.problem import Problem

FOLDER = Path("tests/judge/labelled_by_colour")
DRAWS = 2000  # of the candidates, for intervals
Pairs = list[tuple[str, str]]  # what a person says, and what is said


def main() -> None:
    params = settings.load()
    labels = tables.read(FOLDER / "labels.csv")
    if why := score_labelled.strange(params):
        raise Problem(f"{FOLDER}: {why}")
    _, labels["said"] = score_labelled.judged(FOLDER, labels, params)
    figures: dict[str, object] = {
        "the labeller, twice": agreement([pair for pair in pairs_of(labels, "again") if pair[1]])
    }
    gans = labels["experiment"].str.startswith("wgan")
    for name, rows in {
        "all": labels, "of GANs": labels[gans], "composed": labels[~gans],
        **{product: labels[labels["product"] == product] for product in score_labelled.OWN},
    }.items():  # fmt: skip
        pairs = pairs_of(rows, "said")
        figures[f"{name}, judged"] = agreement(pairs) | of_green(pairs)
        figures[f"{name}, labelled and judged"] = {f"{a} {b}": n for (a, b), n in sorted(Counter(pairs).items())}
        always = [(true, "white") for true, _ in pairs]
        figures[f"{name}, always white"] = agreement(always) | of_green(always)
    conditions.record("judge_labelled", figures, ("torch", "ultralytics-opencv-headless"))


def pairs_of(rows: pd.DataFrame, column: str) -> Pairs:
    return list(zip(rows["verdict"], rows[column], strict=True))


def agreement(pairs: Pairs) -> dict[str, object]:
    """Return how often what is said is what a person says, each colour counting alike, and beyond chance."""
    return {
        "candidates": len(pairs), "alike": share(sum(a == b for a, b in pairs), len(pairs)),
        "balanced accuracy": within(pairs, balanced), "kappa": within(pairs, lambda of: kappa(of) or 0.0),
    }  # fmt: skip


def of_green(pairs: Pairs) -> dict[str, object]:
    """Return how many of those called green are green, how many green ones are called so, and copies called green."""
    there, called = (of.count("green") for of in zip(*pairs, strict=True))
    hits = pairs.count(("green", "green"))
    copies = [said for true, said in pairs if true == "red"]
    return {
        "precision of green": share(hits, called), "recall of green": share(hits, there),
        "copies accepted": f"{copies.count('green')} of {len(copies)}",
    }  # fmt: skip


def balanced(pairs: Pairs) -> float:
    """Return the share of each true colour that is called so, averaged over the colours there are."""
    there = Counter(true for true, _ in pairs)
    return float(np.mean([pairs.count((colour, colour)) / there[colour] for colour in COLOURS if there[colour]]))


def within(pairs: Pairs, measure: Callable[[Pairs], float]) -> str:
    """Return a figure with its interval, by drawing the candidates again."""
    rng = np.random.default_rng(0)
    drawn = [measure([pairs[k] for k in rng.integers(len(pairs), size=len(pairs))]) for _ in range(DRAWS)]
    low, high = np.percentile(drawn, (2.5, 97.5))
    return f"{measure(pairs):.3f} ({low:.3f} to {high:.3f})"


if __name__ == "__main__":
    command.run(main, __doc__)

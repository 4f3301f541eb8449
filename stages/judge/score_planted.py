"""Test the judge on planted candidates of known verdict, and on real images, which it should call new and good.

The planted ones are made of another product's validation images, and judged by what is calibrated on further products,
if there are some. Of the product itself only the last figure speaks: how many of its validation images, which nothing
that judges has seen, are called green. Where there is no other product, the planted ones are made of the images that
the judge has learnt from, and say less (`planted_of_itself`). None of it reaches a later stage.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from stages import command, drawing, files, paths, settings, tables
from stages.dataset import photo
from stages.detector import predict
from stages.judge import limits, picture_judge, planted, reference, salience, set_metrics
from stages.judge.calibrate import FEW, known, known_groups, look_at_copies, trials
from stages.judge.colours import COLOURS, interval
from stages.judge.copies import copies
from stages.judge.picture_judge import PictureJudge
from stages.judge.reference import Reference
from stages.settings import Settings

SHOWN = 24  # misjudged candidates in the picture


def main(product: str) -> None:
    params = settings.load()
    another = other_bench(params, product)
    by, more = another or own_bench(params, product)
    pixels, truth = planted.planted(by.training, more, params.now.judge.planted, params.judge.shift, params.seed)
    said = [one.colour for one in picture_judge.judge(pixels, by, params)]
    copied = _copies(by, params)
    accepted = sum(one.colour == "green" for one in picture_judge.judge(copied, by, params))
    changed = planted.one_changed(by.training, params.now.judge.planted, params.seed)
    called = copies_called(changed, by, params)
    figures = scores(truth, said) | {
        "planted_copies": len(copied), "planted_copies_accepted": accepted,
        "copies_caught": by.copy.caught,
        **one_change(called, len(changed)), **real_green(params, product), "planted_of_itself": int(another is None),
    }  # fmt: skip
    with files.replacing(paths.JUDGE_TESTS / product) as folder:
        rounded = {name: round(v, 4) if isinstance(v, float) else v for name, v in figures.items() if v is not None}
        files.write_json(folder / "figures.json", rounded)
        tables.write(folder / "confusion.csv", confusion(truth, said), index=True)
        photo.save(folder / "misjudged.jpg", misjudged(pixels, truth, said))


def other_bench(params: Settings, product: str) -> tuple[PictureJudge, Reference] | None:
    """Return a judge for the other product with the most validation images, and images that show what else its bin
    looks like; None, if no other has as many as two.

    A few of its images that the detector trained on play the part of the subset, one half of its validation images that
    of what candidates must differ from; nothing was calibrated on these.
    """

    def tests(group: str) -> Reference | None:
        return known(params, product, group, "val", slice(1, None, 2))

    group = max(known_groups(params, product), key=lambda name: len(tests(name) or ()), default=None)
    own, source = (known(params, product, group, "train", slice(FEW)), tests(group)) if group else (None, None)
    if not own or not source:
        return None
    weights = paths.trained(product, "judge")
    tried = trials(params, product, own, but=group)
    return PictureJudge(
        weights, source, salience.empty(own), limits.copy_limit(own, params.judge, params.seed),
        limits.limits(own, look_at_copies(own, params, product), tried, params.judge),
        predict.features(weights, source.pixels, params.now.judge.imgsz), limits.known_features(tried),
    ), own  # fmt: skip


def own_bench(params: Settings, product: str) -> tuple[PictureJudge, Reference]:
    """Return the product's own judge, and its images."""
    own = reference.read([paths.SUBSETS / params.known_subset(product)], params.now.judge.size)
    return own_judge(params, product, own), own


def own_judge(params: Settings, product: str, own: Reference) -> PictureJudge:
    weights = paths.trained(product, "judge")
    return picture_judge.load(paths.JUDGE / product, weights, own, own, params.now.judge.size, params)


def one_change(called: int, of: int) -> dict[str, float | None]:
    """Return which share of pictures that differ in one object is called copies; None where none could be made."""
    low, high = interval(called, of) if of else (None, None)
    return {
        "one_change_called_copy": called / of if of else None,
        "one_change_called_copy_low": low, "one_change_called_copy_high": high,
    }  # fmt: skip


def copies_called(pixels: np.ndarray, by: PictureJudge, params: Settings) -> int:
    """Return how many pictures are called copies by their pixels."""
    if not len(pixels):
        return 0
    from stages.judge import novelty  # and torch

    near = novelty.nearest(pixels, by.training.pixels, params.judge.shift, params.judge.shortlist)
    return int((near.distance <= by.copy.distance).sum())


def _copies(by: PictureJudge, params: Settings) -> np.ndarray:
    rng = np.random.default_rng(params.seed + 1)
    picked = rng.integers(len(by.training), size=params.now.judge.planted_copies)
    return np.stack([copies(by.training.pixels[k], 1, params.judge.shift, rng)[0] for k in picked])


def scores(truth: list[str], said: list[str]) -> dict[str, float]:
    """Return the accuracy, and each colour's precision and recall."""
    pairs = Counter(zip(truth, said, strict=True))
    found = {"planted_accuracy": sum(pairs[c, c] for c in COLOURS) / len(truth)}
    for colour in COLOURS:
        called, there = said.count(colour), truth.count(colour)
        found[f"{colour}_precision"] = pairs[colour, colour] / called if called else 0.0
        found[f"{colour}_recall"] = pairs[colour, colour] / there if there else 0.0
    return found


def confusion(truth: list[str], said: list[str]) -> pd.DataFrame:
    """Return how often what was planted (rows) was called what (columns)."""
    pairs = Counter(zip(truth, said, strict=True))
    rows = [[pairs[planted_, called] for called in COLOURS] for planted_ in COLOURS]
    return pd.DataFrame(rows, index=pd.Index(COLOURS, name="planted"), columns=list(COLOURS))


def real_green(params: Settings, product: str) -> dict[str, float]:
    """Return the shares of the product's own validation images that are called green, and called a copy."""
    real = set_metrics.held_out(params, product)
    if not real:
        return {}
    own = reference.read([paths.SUBSETS / params.known_subset(product)], params.now.judge.size)
    by = own_judge(params, product, own)
    judged = picture_judge.judge(real.pixels, by, params)
    green, copies = (sum(test(one) for one in judged) for test in (
        lambda one: one.colour == "green", lambda one: one.evidence.distance <= by.copy.distance))  # fmt: skip
    low, high = interval(green, len(judged))
    return {
        "real_images": len(judged), "real_called_green": green / len(judged), "real_called_green_low": low,
        "real_called_green_high": high, "real_called_copy": copies / len(judged),
    }  # fmt: skip


def misjudged(pixels: np.ndarray, truth: list[str], said: list[str]) -> np.ndarray:
    """Return a picture of wrongly judged candidates, each twice its size, with `planted > verdict` under it."""
    wrong = [k for k, (a, b) in enumerate(zip(truth, said, strict=True)) if a != b]
    if not wrong:
        return np.full((32, 256, 3), 255, np.uint8)
    chosen = [wrong[k] for k in np.linspace(0, len(wrong) - 1, min(SHOWN, len(wrong))).astype(int)]
    return drawing.sheet([drawing.named(pixels[k], f"{truth[k]} > {said[k]}") for k in chosen], 8)


if __name__ == "__main__":
    command.run(main, __doc__, product="focus or other")

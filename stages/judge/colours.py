"""The four colours of verdicts, and how many of them are summed up."""

from __future__ import annotations

from collections import Counter

from scipy.stats import binomtest

COLOURS = ("green", "yellow", "white", "red")  # new and good, new but doubtful, mostly partial, known already


def interval(hits: int, of: int) -> tuple[float, float]:
    """Of a share, by Wilson."""
    if not of:
        return 0.0, 1.0
    found = binomtest(hits, of).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def kappa(pairs: list[tuple[str, str]]) -> float | None:
    """Cohen's: agreement beyond chance of two judges; None where chance alone would have them agree always."""
    if not pairs:
        return None
    first, second = (Counter(of) for of in zip(*pairs, strict=True))
    agreed = sum(a == b for a, b in pairs) / len(pairs)
    chance = sum(first[c] * second[c] for c in COLOURS) / len(pairs) ** 2
    return None if chance == 1 else (agreed - chance) / (1 - chance)

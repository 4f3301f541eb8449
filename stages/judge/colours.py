"""The four colours of verdicts, and how many of them are summed up."""

from __future__ import annotations

from collections import Counter

COLOURS = ("green", "yellow", "white", "red")  # new and good, new but doubtful, mostly partial, known already
PAINT = {"green": "#009E73", "yellow": "#F0E442", "white": "#DDDDDD", "red": "#D55E00"}
# The thesis's percentages of 300 samples, by eye: green, yellow, white, red.
THESIS = {
    "wgan_group": (1.3, 10.7, 14.3, 73.7),
    "wgan_ten": (4.0, 9.0, 1.3, 85.7),
    "wgan_pretrained_ten": (1.7, 7.7, 0.7, 90.0),
    "wgan_feedback": (3.0, 6.7, 0.7, 89.7),
    "wgan_twenty": (3.7, 15.7, 2.0, 78.7),
}


def interval(hits: int, of: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share, by Wilson."""
    if not of:
        return 0.0, 1.0
    from scipy.stats import binomtest

    found = binomtest(hits, of).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def kappa(pairs: list[tuple[str, str]]) -> float | None:
    """Return Cohen's kappa of two judges, their agreement beyond chance; None where chance alone would have them agree
    always."""
    if not pairs:
        return None
    first, second = (Counter(of) for of in zip(*pairs, strict=True))
    agreed = sum(a == b for a, b in pairs) / len(pairs)
    chance = sum(first[c] * second[c] for c in COLOURS) / len(pairs) ** 2
    return None if chance == 1 else (agreed - chance) / (1 - chance)

"""How good what a picture shows is: green, yellow or white, by a multinomial logistic regression.

A dozen values of evidence compete in it, so that no single one, at some limit, overrules the others. Its weights are
fitted on pictures whose colour is known, made of other products' photographs and of the product's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from stages.judge import quality, salience
from stages.judge.colours import COLOURS
from stages.judge.quality import GHOSTLY, PARTIAL, WHOLE, Seen, Things

GRADES = COLOURS[:3]  # from good to bad; what is known already is told by other means
VALUES = {  # of evidence, as they are called in a reason
    "ghostly": "share of the certainty that is for ghosts",
    "partial": "share of the certainty that is for parts",
    "worst": "the most doubtful thing, for whole against spoilt",
    "best": "the surest thing, for whole against spoilt",
    "usual": "things on average, for whole against spoilt",
    "parts": "things on average, for parts",
    "ghost": "certainty of a ghost",
    "part": "certainty of a part",
    "strangeness": "how unlike real images",
    "least": "certainty of the most doubtful free object",
    "mean": "certainty of objects on average",
    "weakest": "how much the faintest thing stands out, in deviations from the usual",
}
LIKELY, VISIBLE = 0.25, 0.1  # certainty from which a thing is asked what it is, and how much it stands out
SOFT = 0.02  # added to certainties whose ratio is taken
FAR = 3.0  # logarithm of a ratio, beyond which nothing is surer
FAINT, STRONG = -6.0, 1.0  # deviations, beyond which it makes no difference how much something stands out
LEVEL = 1e-6  # spread of a value that is the same in all pictures
RIDGE = 0.3  # of the weights, in units of one picture


@dataclass(frozen=True)
class Strength:
    """How much the objects of a class stand out from the empty bin."""

    middle: float
    spread: float


@dataclass(frozen=True)
class Graded:
    """Pictures of known colour: the evidence (n, values), the place in GRADES, and how much each counts."""

    values: np.ndarray
    grades: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Grade:
    """What a picture is likeliest to be, how likely, and what speaks most for that."""

    colour: str
    chance: float
    why: str

    def says(self) -> str:
        return f"{self.colour} by {self.chance:.0%}, most by {self.why}"


@dataclass(frozen=True)
class Grader:
    """Weights of the evidence: a row for each value, in standard deviations from the middle, and one for whatever is
    seen; a column for each grade."""

    middle: list[float]
    spread: list[float]
    weights: list[list[float]]

    def standard(self, values: np.ndarray) -> np.ndarray:
        """Return values of evidence as deviations from the middle."""
        return (values - self.middle) / self.spread

    def grades(self, values: np.ndarray) -> list[Grade]:
        """Return the grade of each picture (n, values)."""
        weights, found = np.array(self.weights), []
        for row in self.standard(values):
            chances = np.exp(log_softmax(np.append(row, 1) @ weights))
            first, second = np.argsort(-chances)[:2]
            spoke = row * (weights[:-1, first] - weights[:-1, second])
            name = list(VALUES)[int(np.argmax(spoke))]
            found.append(Grade(GRADES[first], float(chances[first]), VALUES[name]))
        return found


def fit(parts: list[Graded]) -> Grader:
    """Return the weights that tell pictures of known colour best."""
    values, grades, counts = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("values", "grades", "weights")
    )
    middle, spread = values.mean(0), values.std(0).clip(LEVEL)
    known = np.column_stack([(values - middle) / spread, np.ones(len(values))])
    counts, truth = counts * len(counts) / counts.sum(), np.eye(len(GRADES))[grades]

    def wrong(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(known.shape[1], len(GRADES))
        logs = log_softmax(known @ weights, 1)
        slope = known.T @ ((np.exp(logs) - truth) * counts[:, None]) + RIDGE * weights
        return float(RIDGE * (weights**2).sum() / 2 - (counts * (logs * truth).sum(1)).sum()), slope.ravel()

    best = minimize(wrong, np.zeros(known.shape[1] * len(GRADES)), jac=True, method="L-BFGS-B").x
    return Grader(middle.tolist(), spread.tolist(), best.reshape(known.shape[1], len(GRADES)).tolist())


@dataclass(frozen=True)
class KnownBin:
    """What a product's own photographs tell of its bin and objects."""

    empty: np.ndarray  # bin
    frame: tuple[int, int]  # of the photographs
    usual: dict[int, Strength]  # by class, how much objects stand out from the bin …
    strong: dict[int, float]  # … how little …
    long: dict[int, float]  # … and how short those are that stand free


def evidence(seen: Seen, pixels: np.ndarray, strangeness: float, by: KnownBin) -> list[float]:
    """Return a picture's values of evidence. strangeness: how far its features are from those of real images."""
    strengths = salience.strengths(pixels, seen.things.boxes, by.empty)
    things = quality.measured(seen.things, strengths, by.frame, by.strong, by.long)
    stands_out = deviations(things, strengths, by.usual)
    sure = things.certainties
    certain = sure.max(1, initial=0.0)
    shares = (sure + SOFT) / (sure + SOFT).sum(1, keepdims=True)
    parts = (shares * certain[:, None]).sum(0) / max(certain.sum(), 1e-6)
    odds = np.log((sure[:, WHOLE] + SOFT) / (sure[:, GHOSTLY] + sure[:, PARTIAL] + SOFT)).clip(-FAR, FAR)
    odds = odds[certain >= LIKELY]
    partial = np.log(shares[certain >= LIKELY, PARTIAL])
    weakest = stands_out.min(initial=STRONG, where=certain >= VISIBLE)
    return [
        parts[GHOSTLY], parts[PARTIAL],
        odds.min(initial=FAR), odds.max(initial=-FAR), odds.mean() if len(odds) else -FAR,
        partial.mean() if len(partial) else 0.0,
        sure[:, GHOSTLY].max(initial=0.0), sure[:, PARTIAL].max(initial=0.0), strangeness,
        1.0 if seen.least is None else seen.least, seen.mean or 0.0, float(np.clip(weakest, FAINT, STRONG)),
    ]  # fmt: skip


def deviations(things: Things, strengths: np.ndarray, usual: dict[int, Strength]) -> np.ndarray:
    """Return how much more, in deviations, a picture's things stand out than is usual for their class; for that of all
    classes, where the class is not known; 0 where nothing is usual."""
    if not usual:
        return np.zeros(len(strengths))
    every = Strength(*(float(np.mean([getattr(of, name) for of in usual.values()])) for name in ("middle", "spread")))
    known = [usual.get(int(number), every) for number in things.classes]
    return np.array([(value - of.middle) / of.spread for value, of in zip(strengths, known, strict=True)])

"""What follows from all runs of a study: differences between arms, the curve over photographs, what ten are worth.

Two arms are compared on the products and draws on which both have run; their images, seeds and test images are then the
same, and the interval holds all that varies (statistics.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise

import numpy as np

from stages import provenance
from stages.evidence import arm_metrics, statistics
from stages.evidence.arm_roles import OLD, may_ship, roles
from stages.evidence.statistics import Arm, Interval, Scores, Spread
from stages.evidence.study_runs import FINE, Row
from stages.settings import Settings

Point = tuple[str, str, int | None]  # an arm, a choice of photographs, and how many; None: all of a product's

KNOWN = ("map50_95", "found")  # what is measured on the known products, too

Rows = Mapping[str, Sequence[Row]]  # of each product
# What a comparison of arms looks at (compare.py), of one run.
VALUES: dict[str, Callable[[Row], float]] = {
    "map50_95": lambda row: row["map50_95"],
    "found": lambda row: row["metrics"]["found"],
    "score": lambda row: (row["map50_95"] + row["metrics"]["found"]) / 2,
}


def summary(rows: Rows, every: Mapping[str, int], params: Settings) -> dict:
    """Return everything that the report says of a study. `every`: how many photographs each product has to train on."""
    return Answer(rows, every, params).summary()


def headline(found: dict) -> dict[str, float]:
    """Return the figures of a study that are compared from commit to commit."""
    asked = found.get("worth", {}).get(found["primary"])
    figures = {"worth": asked["worth"], "worth_low": asked["low"], "worth_high": asked["high"]} if asked else {}
    for name, arm in found.get("arms", {}).items():
        figures |= {f"{name}_map50_95": arm["value"]}
        figures |= {f"{name}_closed": arm["closed"]["value"]} if "closed" in arm else {}
    return figures


class Answer:
    """A study's rows, and what can be said of them."""

    def __init__(self, rows: Rows, every: Mapping[str, int], params: Settings):
        self.params, self.every = params, every
        self.rows: dict[str, dict[tuple[Point, int], Row]] = {product: {} for product in rows}
        self.old = {product: next((row for row in of if row["arm"] == OLD), None) for product, of in rows.items()}
        for product, of in rows.items():
            for row in of:
                if row["arm"] != OLD:
                    counts = {None if row["count"] == every[product] else row["count"]}
                    if row["count"] == min(params.study.at, every[product]):
                        counts.add(params.study.at)
                    for count in counts:
                        self.rows[product][(row["arm"], row["choice"], count), row["draw"]] = row
        self.by = statistics.Sampling(params.evidence.resamplings, params.seed, self.spread("map50_95"))

    def common(self, points: Sequence[Point], measure: str = "map50_95") -> list[Arm] | None:
        """Return each point's scores on the products and draws on which all of them have run; None: on none. Images are
        drawn again for mAP50-95 alone."""
        found: list[list[Scores]] = [[] for _ in points]
        for of in self.rows.values():
            draws = sorted(set.intersection(*({draw for at, draw in of if at == point} for point in points)))
            for scores, point in zip(found, points, strict=True):
                if draws:
                    picked = [of[point, draw] for draw in draws]
                    runs = np.array([VALUES[measure](row) for row in picked])
                    scores.append(Scores(runs, np.array([row["draws"] for row in picked]) / FINE))
        return [list(scores) for scores in found] if found[0] else None

    def difference(self, a: Point, b: Point) -> dict[str, float] | None:
        """Return by how much one point is better than another, and what the other reaches where both have run."""
        if (both := self.common([a, b])) is None:
            return None
        gain = statistics.difference(both[0], both[1], self.by)
        return asdict(gain) | {"without": statistics.value(both[1])}

    def closed(self, of: Point, start: Point, end: Point) -> Interval | None:
        """Return how much of the way from one point to another a third has gone."""
        there = self.common([of, start, end])
        if there is None:
            return None
        arm, few, all_ = there
        return statistics.closed(arm, few, all_, self.by)

    def estimate(self, of: Point) -> Interval | None:
        """Return a point's value with its interval."""
        there = self.common([of])
        return statistics.estimate(there[0], self.by) if there else None

    def at(self, arm: str, choice: str = "random") -> Point:
        """Return the point at which all arms are compared."""
        return arm, choice, self.params.study.at

    def summary(self) -> dict:
        """Return everything that the report says."""
        params, study, how = self.params, self.params.study, self.params.now.study
        part = roles(params.arms, params)
        base = part.baseline
        done = {row["product"] + row["name"]: row for of in self.rows.values() for row in of.values()}.values()
        found: dict = {
            "conditions": {
                "scale": params.scale, "model": params.now.detector.model, "imgsz": how.imgsz, "batch": how.batch,
                "steps": how.steps, "photographs": study.at, "composed": params.now.composed,
                "products": {p: {"runs": len(of), "photographs": self.every[p]} for p, of in self.rows.items()},
                "draws": len({draw for of in self.rows.values() for _, draw in of}), "runs": len(done),
                "hours_of_training": round(sum(row["seconds"] for row in done) / 3600, 2),
                "processor": provenance.processor(), "commit": provenance.commit(),
            },
            "baseline": base, "primary": params.evidence.primary,
        }  # fmt: skip
        if base is None:
            return found
        names = [name for name in study.arms if self.estimate(self.at(name))]
        tops: dict[str, Point] = {"closed": (base, "random", None)}
        if part.warm:
            tops["closed_warm"] = (part.warm, "random", None)
        found["arms"] = {name: self.facts(name, base, tops) for name in names}
        for end, point in zip(("all", "warm_all"), tops.values(), strict=False):
            if value := self.estimate(point):
                found["arms"][end] = asdict(value) | {"shifted": self.shifted(point), "metrics": self.means(point)}
                if gain := self.difference(point, self.at(base)):
                    found["arms"][end]["against"] = gain
        self.correct(found["arms"])
        found["choices"] = self.choices()
        found["curve"], found["steps"] = self.curve(), self.steps(base)
        found["worth"] = {name: self.worth(name, base) for name in names if name != base}
        spreads = {of: self.spread(of) for of in VALUES} | {f"known_{of}": self.spread_on_known(of) for of in KNOWN}
        found["spread"] = {measure: asdict(of) for measure, of in spreads.items() if of}
        found["old"] = {p: row["metrics"] | {"map50_95": row["map50_95"]} for p, row in self.old.items() if row}
        return found

    def facts(self, name: str, base: str, tops: dict[str, Point]) -> dict:
        """Return what is said of one arm at the number of photographs at which all are compared.

        `tops`: what was made of all photographs, by the word for how much of the way there the arm has gone.
        """
        point, start = self.at(name), self.at(base)
        value = self.estimate(point)
        assert value is not None
        found: dict = asdict(value) | {"metrics": self.means(point), "shifted": self.shifted(point)}
        found["by_product"] = {
            product: float(np.mean([row["map50_95"] for (at, _), row in of.items() if at == point]))
            for product, of in self.rows.items() if any(at == point for at, _ in of)
        }  # fmt: skip
        if name == base:
            return found
        if gain := self.difference(point, start):
            found["against"] = gain
        for key, end in tops.items() if self.params.arms[name].augment != "plain" else ():
            if way := self.closed(point, start, end):
                found[key] = asdict(way)
        if known := [row["known"] for of in self.rows.values() for (at, _), row in of.items()
                     if at == point and "known" in row]:  # fmt: skip
            old = {p: row["known"] for p, row in self.old.items() if row and "known" in row}
            found["known"] = {m: float(np.mean([of[m] for of in known])) for m in KNOWN}
            found["known_before"] = {m: float(np.mean([of[m] for of in old.values()])) for m in KNOWN}
        return found

    def correct(self, arms: dict[str, dict]) -> None:
        """Add to each difference its word; the p values of the arms that compete are corrected, save the primary's."""
        competing = may_ship({name: self.params.arms[name] for name in arms if name in self.params.arms}, self.params)
        others = [n for n in competing if n != self.params.evidence.primary and "against" in arms[n]]
        corrected = dict(zip(others, statistics.holm([arms[n]["against"]["p"] for n in others]), strict=True))
        for name, of in arms.items():
            if apart := of.get("against"):
                p = corrected[name] if name in corrected else float(apart["p"])
                gain = statistics.Difference(*(apart[key] for key in ("value", "low", "high", "p", "least")))
                apart |= {"corrected": p, "word": statistics.word(gain, p)}

    def means(self, point: Point) -> dict[str, float]:
        """Return a point's secondary measures, averaged over runs, then over products."""
        found = [
            {m: np.mean(of_rows) for m in arm_metrics.METRICS
             if (of_rows := [row["metrics"][m] for (at, _), row in of.items() if at == point and m in row["metrics"]])}
            for of in self.rows.values()
        ]  # fmt: skip
        return {m: float(np.mean(of)) for m in arm_metrics.METRICS if (of := [one[m] for one in found if m in one])}

    def shifted(self, point: Point) -> dict[str, float]:
        """Return a point's mAP50-95 at each station that differs, averaged likewise."""
        found: dict[str, list[float]] = {}
        for of in self.rows.values():
            rows = [row for (at, _), row in of.items() if at == point]
            for station in rows[0]["shifted"] if rows else ():
                found.setdefault(station, []).append(float(np.mean([row["shifted"][station] for row in rows])))
        return {station: float(np.mean(of)) for station, of in found.items()}

    def choices(self) -> dict[str, dict]:
        """Return, for each way to choose the photographs, what it does beside random ones."""
        found: dict[str, dict] = {}
        for choice in self.params.study.choices:
            for name in self.params.study.chosen:
                if (value := self.estimate(self.at(name, choice))) is None:
                    continue
                found.setdefault(name, {})[choice] = asdict(value)
                if gain := self.difference(self.at(name, choice), self.at(name)):
                    found[name][choice]["against_random"] = gain
        return found

    def curve(self) -> dict[str, list[dict]]:
        """Return each arm's mAP50-95 over the number of photographs, of the products that have them all."""
        found: dict[str, list[dict]] = {}
        for name in self.params.study.curve:
            counts = self.counts(name)
            for count in counts:
                if value := self.estimate((name, "random", count)):
                    found.setdefault(name, []).append({"count": count or min(self.every.values())} | asdict(value))
        return found

    def steps(self, base: str) -> list[dict]:
        """Return what more photographs bring without fakes, from each number to the next."""
        found = []
        for fewer, more in pairwise(self.counts(base)):
            gain = self.difference((base, "random", more), (base, "random", fewer))
            if fewer and gain:
                found.append({"fewer": fewer, "more": more or min(self.every.values()), "gain": gain})
        return found

    def counts(self, name: str) -> list[int | None]:
        """Return how many photographs an arm was made of, for every product; None: all, the last."""
        of_products = [{at[2] for at, _ in of if at[:2] == (name, "random")} for of in self.rows.values() if of]
        shared = set.intersection(*of_products) if of_products else set()
        return sorted(shared, key=lambda count: count or 1 << 30)

    def worth(self, name: str, base: str) -> dict | None:
        """Return how many photographs without fakes an arm made of a few is worth, on the curve of the baseline."""
        counts = self.counts(base)
        there = self.common([self.at(name), *((base, "random", count) for count in counts)])
        if there is None or len(counts) < 2:
            return None
        numbers = [count or min(self.every.values()) for count in counts]

        def measure(values: np.ndarray) -> np.ndarray:
            return np.array([photographs(of[0], numbers, of[1:]) for of in values.T])

        draws = statistics.drawn(there, measure, self.by)
        if draws is None:
            return None
        low, high = statistics.interval(draws)
        values = [statistics.value(arm) for arm in there]
        return {"worth": photographs(values[0], numbers, values[1:]), "low": low, "high": high, "most": numbers[-1]}

    def spread(self, measure: str) -> Spread | None:
        """Return how much single runs of two arms differ by chance, over all that were made again of the photographs
        that the baseline was made of, save those that learnt from photographs as they are."""
        if (base := roles(self.params.arms, self.params).baseline) is None:
            return None
        points = dict.fromkeys(point for of in self.rows.values() for point, _ in of)
        again = []
        for point in points:
            both = self.common([point, self.at(base)])
            if self.params.arms[point[0]].augment != "plain" and both and len(both[0][0].runs) > 1:
                again.append(point)
        there = self.common(again, measure) if again else None
        return statistics.spread(there) if there else None

    def spread_on_known(self, measure: str) -> Spread | None:
        """Return how much single detectors that go on from the known products' differ on these, whatever their arm."""
        rows = ([row["known"][measure] for row in of.values() if "known" in row] for of in self.rows.values())
        each = [Scores(np.array(runs), np.empty((len(runs), 0))) for runs in rows if runs]
        return statistics.spread([each]) if each else None


def photographs(value: float, counts: Sequence[int], values: Sequence[float]) -> float:
    """Return at how many photographs a curve reaches a value, between its points along the logarithm of their number;
    the last count, where it does not."""
    rising = np.maximum.accumulate(values)  # a curve that dips by chance would be read twice
    if value <= rising[0]:
        return float(counts[0])
    above = next((k for k, one in enumerate(rising) if one >= value), None)
    if above is None:
        return float(counts[-1])
    share = (value - rising[above - 1]) / (rising[above] - rising[above - 1])
    logs = np.log(counts)
    return float(np.exp(logs[above - 1] + share * (logs[above] - logs[above - 1])))

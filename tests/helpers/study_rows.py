"""Rows of a study in which all is known: how much photographs without fakes teach, and what fakes add."""

from __future__ import annotations

import msgspec
import numpy as np

from stages import settings
from stages.evidence import study_answer
from stages.evidence.arm_metrics import METRICS
from stages.evidence.arm_roles import OLD
from stages.evidence.study_runs import Run, row_of
from tests.helpers.checkouts import ROOT

PARAMS = settings.load(ROOT / "params.yaml")
PARAMS = msgspec.structs.replace(PARAMS, evidence=msgspec.structs.replace(PARAMS.evidence, resamplings=500))
PRODUCTS = {"tube_mint": 0.0, "can_cobalt": 0.02, "spray_night": -0.02}
EVERY = 100
LEARNT = {1: 0.2, 3: 0.35, 5: 0.45, 10: 0.55, 20: 0.6, 50: 0.68, EVERY: 0.75}  # by photographs without fakes


def rows(gain=0.1, draws=3, seed=0):
    """Return a study's rows in which fakes are worth a gain at ten photographs, less at more."""
    luck = np.random.default_rng(seed)
    images = luck.normal(0, 200, 200)
    found = {}
    for product, apart in PRODUCTS.items():
        of = [row(Run(product, "ten_standard", "random", n, d), v + apart + luck.normal(0, 0.004), images)
              for n, v in LEARNT.items() for d in range(draws)]  # fmt: skip
        of += [row(Run(product, "paste", "random", 10, d), LEARNT[10] + gain + apart + luck.normal(0, 0.004), images)
               for d in range(draws)]  # fmt: skip
        of += [row(Run(product, "ten_standard", "separated", 10, d), 0.5 + apart, images) for d in range(draws)]
        of.append({"name": OLD, "arm": OLD, "product": product, "map50_95": 0.0, "metrics": {"map_any_class": 0.3}})
        found[product] = of
    return found


def row(run, value, images):
    draws = (study_answer.FINE * value + images).round().astype(int).tolist()
    return row_of(run, {"map50_95": value, "draws": draws, "seconds": 100.0, "images": {}, "mark": "",
                        "metrics": dict.fromkeys(METRICS, value), "shifted": {"other_bin": value / 2}})  # fmt: skip


def summary(of):
    """Return what is said of rows, every product having as many photographs."""
    return study_answer.summary(of, dict.fromkeys(PRODUCTS, EVERY), PARAMS)

"""Whatever is handed in gives a result or one line; nothing is written elsewhere, and little time and memory taken.

A failure names its seed: `outcomes(range(seed, seed + 1), …)` is that case alone.
"""

import numpy as np
import pytest

from stages.problem import Problem
from tests.helpers.fuzzed import KINDS
from tests.helpers.mutate import outcomes

QUICK = {
    "annotations": 80,
    "pictures": 40,
    "params": 20,
    "reviews": 30,
    "judges_tables": 30,
    "manifests": 30,
    "formats": 60,
    "queue": 60,
}
SLOW = 10  # times as many of each
SELDOM = ("pictures", "params")  # that a change leaves something of which there is a result


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("slow", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["quick", "slow"])
def test_a_result_or_a_line(tmp_path, monkeypatch, kind, slow):
    monkeypatch.chdir(tmp_path)
    first = QUICK[kind]
    found = outcomes(range(first, first * (1 + SLOW)) if slow else range(first), tmp_path, KINDS[kind](tmp_path))
    assert not found.lost
    assert found.lines and (found.results or kind in SELDOM)


def test_the_watch_sees_what_it_is_for(tmp_path):
    found = outcomes(range(1), tmp_path / "in", lambda _: (tmp_path / "it is not here").write_text("x"))
    assert "it is not here" in found.lost[0]
    assert "MemoryError" in outcomes(range(1), tmp_path, lambda _: np.ones(1 << 40)).lost[0]

    def refuse(_):
        raise Problem("two\nlines")

    found = outcomes(range(2), tmp_path, refuse)
    assert (found.results, found.lines, found.lost) == (0, 2, {})

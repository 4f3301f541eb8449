"""The few figures to look at first after every run (reports/metrics/headline.json): the answer, the gate, the detector,
the judge. `make metrics` shows them beside the last commit's; all other metrics stay where they are, by name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stages import command, files, paths

HEADLINE = paths.METRICS / "headline.json"


def main() -> None:
    tests = [_facts(paths.JUDGE_TESTS / name / "figures.json") for name in ("focus", "labelled")]
    files.write_json(HEADLINE, files.rounded(headline(
        _facts(paths.EVIDENCE / "results.json").get("focus", {}), _facts(paths.METRICS / "gate.json"),
        _facts(paths.METRICS / "detector_test.json"), tests[0] | tests[1],
    )))  # fmt: skip


def headline(evidence: dict, gate: dict, detector: dict, judge: dict) -> dict[str, float]:
    """Return at most fifteen figures; one that has not been measured is left out."""
    arms, part = evidence.get("arms", {}), evidence.get("roles", {})
    primary, baseline = (arms.get(part.get(role) or "", {}) for role in ("primary", "baseline"))
    gain = primary.get("against", {}).get(part.get("baseline"), {})
    found = {
        "answer_with_fakes": primary.get("map50_95"),
        "answer_without_fakes": baseline.get("map50_95"),
        "answer_all_photographs": arms.get(part.get("ceiling") or "", {}).get("map50_95"),
        "answer_gain": gain.get("value"),
        "answer_gain_low": gain.get("low"),
        "answer_gain_high": gain.get("high"),
        "gate_include_fakes": gate.get("include_fakes"),
        "gate_promote_product": gate.get("promote_product"),
        "detector_map50_95": detector.get("map50_95"),
        "detector_found": detector["found"] / detector["present"] if detector.get("present") else None,
        "detector_certainty": detector.get("certainty"),
        "judge_planted_accuracy": judge.get("planted_accuracy"),
        "judge_planted_copies_accepted": judge.get("planted_copies_accepted"),
        "judge_real_called_green": judge.get("real_called_green"),
        "judge_labelled_accuracy": judge.get("labelled_accuracy"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _facts(path: Path) -> dict[str, Any]:
    """Return what is in a file of another stage; nothing, where that has not run."""
    return files.read_json(path) if path.exists() else {}


if __name__ == "__main__":
    command.run(main, __doc__)

"""Decide on the product in focus: does its detector replace the old one, and with the fakes (the metric gate.json)?

By its test images; by folds of its training images, where these are all that it came with. What it rests on, and what
the detector that is chosen sees in photographs that it has not learnt from, is left in data/gate.
"""

from __future__ import annotations

from stages import command, files, paths, settings
from stages.evidence import compare_arms, held_out, unseen_results
from stages.evidence.arm_roles import OLD
from stages.evidence.decision import put_to_use

PRODUCT = "focus"


def main() -> None:
    from stages.evidence import fold_decision, folds, look_at_unseen  # and all that composes

    params = settings.load()
    tested = files.read_json(paths.EVIDENCE / "results.json")
    by_folds, seen = {}, {}
    if held_out.there([params.group(PRODUCT)], params):
        none = fold_decision.undecided("no arm was run", OLD in compare_arms.weights(PRODUCT, {}))
        decided = tested.get(PRODUCT, {}).get("gate") or none
    else:
        by_folds, seen = fold_decision.examine(PRODUCT, folds.read(), params)
        decided = by_folds["gate"]
    name = put_to_use(decided)
    weights = compare_arms.weights(PRODUCT, {name: params.arms[name]} if name in params.arms else {}).get(name)
    found = (
        look_at_unseen.unseen(name, PRODUCT, weights[0], seen, params) if weights else unseen_results.Unseen("none", [])
    )
    with files.replacing(paths.GATE) as into:
        files.write_json(into / "folds.json", files.rounded(by_folds))
        files.write_json(into / "unseen.json", files.rounded(unseen_results.written(found)))
    files.write_json(paths.METRICS / "gate.json", {key: value for key, value in decided.items() if value is not None})


if __name__ == "__main__":
    command.run(main, __doc__)

"""Decide on the product in focus: does its detector replace the old one, and with the fakes (the metric gate.json)?

By its test images; by folds of its training images (data/gate), where these are all that it came with.
"""

from __future__ import annotations

from stages import command, files, paths, settings
from stages.evidence import held_out

PRODUCT = "focus"


def main() -> None:
    params = settings.load()
    tested = files.read_json(paths.EVIDENCE / "results.json")
    by_folds = {}
    if held_out.there([params.group(PRODUCT)], params):
        decided = tested.get(PRODUCT, {}).get("gate") or {"include_fakes": 0, "promote_product": 0}
    else:
        from stages.evidence import folds  # and all that composes

        by_folds = folds.examine(PRODUCT, params)
        decided = by_folds["gate"]
    with files.replacing(paths.GATE) as into:
        files.write_json(into / "folds.json", files.rounded(by_folds))
    files.write_json(paths.METRICS / "gate.json", {key: value for key, value in decided.items() if value is not None})


if __name__ == "__main__":
    command.run(main, __doc__)

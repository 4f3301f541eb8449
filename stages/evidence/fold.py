"""Look with detectors at a fold of the photographs of the product in focus, where these are all that it came with: at
each by detectors that have not learnt from it (data/folds/<number>.json). The gate decides on all folds together.
"""

from __future__ import annotations

from stages import command, files, paths, settings
from stages.evidence import unseen_results
from stages.evidence.unseen_results import Unseen

PRODUCT = "focus"


def main(number: str) -> None:
    from stages.evidence import folds, held_out  # and all that composes

    params = settings.load()
    tested = held_out.there([params.group(PRODUCT)], params)
    arms = {} if tested else folds.competing(PRODUCT, params)
    # Photographs that are nearly the same are in one fold, so that there may be fewer.
    there = arms and int(number) < len(folds.dealt(next(iter(arms.values())).subset, params))
    seen = folds.looked(arms, [int(number)], params)[0] if there else {}
    found = {name: unseen_results.written(Unseen("folds", scenes)) for name, scenes in seen.items()}
    files.write_json(paths.FOLDS / f"{number}.json", found)


if __name__ == "__main__":
    command.run(main, __doc__, number="of the fold, from 0")

"""Compare more arms, with more seeds and steps, than `dvc repro` does; or fewer, for a first look.

`full`: every arm of params.yaml, as scales.<scale>.matrix says. Run `dvc repro` first, for what they train on.
`answer`: at the same length, the four arms that say whether the fakes help, and nothing else.
`quick`: these four, one seed, few steps: indicative at best.
Seeds that are trained stay in the checkpoints folder, so a killed run goes on where it was. Results, with their
conditions, go to reports/evidence/<which>.json.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import msgspec

from stages import command, files, paths, provenance, settings
from stages.dataset import coco
from stages.evidence import arm, compare, lineage
from stages.evidence.roles import OLD
from stages.problem import Problem
from stages.settings import Arm, Compared, Settings

COMPARISONS = ("full", "answer", "quick")
ASKED = ("ten", "ten_standard", "paste", "all")
QUICK_STEPS = 300


def main(which: str) -> None:
    params = settings.load()
    if which not in COMPARISONS:
        raise Problem(f"there is no comparison {which!r}; there are {', '.join(COMPARISONS)}")
    arms, how = asked(which, params)
    dataset, split = coco.read(paths.ANNOTATIONS), files.read_json(paths.SPLIT)
    for name, one in arms.items():
        lineage.check(name, one, params, dataset, split)
    # On a CPU a training keeps one core busy, so there are as many at a time.
    import torch

    together = 1 if torch.cuda.is_available() else provenance.cores()
    with ProcessPoolExecutor(together, get_context("spawn")) as pool:
        weights = dict(zip(arms, pool.map(trained, arms, arms.values(), repeat(params), repeat(how)), strict=True))
    results = {}
    for product in dict.fromkeys(one.product for one in arms.values()):
        mine = {name: one for name, one in arms.items() if one.product == product}
        of = {name: weights[name] for name in mine}
        old = paths.DETECTORS / product / "known" / "last.pt"
        if which == "full" and old.exists():
            of[OLD] = [old]
        results[product] = compare.compare(of, mine, product, params, how)
        for name in mine:
            results[product]["arms"][name]["run"] = files.read_json(weights[name][0].parent / "run.json")
    conditions = {"scale": params.scale, **msgspec.to_builtins(how), "model": params.now.detector.model}
    files.write_json(paths.REPORTS / "evidence" / f"{which}.json", files.rounded({"conditions": conditions} | results))


def asked(which: str, params: Settings) -> tuple[dict[str, Arm], Compared]:
    """Arms and how they are compared."""
    how = params.now.matrix
    if which == "full":
        return params.all_arms, how
    if which == "quick":
        how = msgspec.structs.replace(how, seeds=1, steps=min(QUICK_STEPS, how.steps))
    return {name: settings.named(name, params.all_arms) for name in ASKED}, how


def trained(name: str, one: Arm, params: Settings, how: Compared) -> list[Path]:
    """One arm's detectors, trained now unless an earlier run of the same data and settings left them."""
    inputs = [paths.SUBSETS / one.subset, *lineage.fakes(one, params)]
    inputs += [folder for of in (one.known, one.start) if (folder := settings.named_folder(of))]
    mark = files.fingerprint(*inputs, *(msgspec.to_builtins(of) for of in (one, how, params.evidence, params.seed)),
                             msgspec.to_builtins(params.now.detector))  # fmt: skip
    folder = paths.CHECKPOINTS / "matrix" / mark / name
    if not (folder / "run.json").exists():
        with files.replacing(folder) as into:
            arm.train(name, one, params, how, into)
    return sorted(folder.glob("*.pt"))


if __name__ == "__main__":
    command.run(main, __doc__, which=" or ".join(COMPARISONS))

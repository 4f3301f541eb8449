"""The parts that arms play in the comparison, told by what they are made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from stages import paths
from stages.settings import NONE, Arm, Settings

OLD = "zero_shot"  # the detector that was there before the product came


@dataclass(frozen=True)
class Roles:
    """The arms that others are measured against, by what they are made of; None where there is no such arm."""

    few: str | None  # the few real images as they are …
    baseline: str | None  # … with standard augmentation
    ceiling: str | None  # all real images
    warm: str | None  # the few, from the known products' detector …
    warm_ceiling: str | None  # … and all, from there


def from_scratch(arm: Arm) -> bool:
    """Return whether an arm's detector goes on from no other."""
    return arm.start == NONE


def roles(arms: dict[str, Arm], params: Settings) -> Roles:
    """Return which of some arms plays which part: the first that is made so."""

    def first(names: Iterable[str]) -> str | None:
        return next(iter(names), None)

    bare = {name: arm for name, arm in arms.items() if arm.ratio == 0 and arm.labelled == NONE}
    plain = [n for n, arm in bare.items() if from_scratch(arm) and arm.augment == "plain"]
    subset = params.arms[params.evidence.primary].subset
    standard = {n: arm for n, arm in bare.items() if from_scratch(arm) and arm.augment == "standard"}
    warm = {n: arm for n, arm in bare.items() if not from_scratch(arm)}

    def whole(of: dict[str, Arm]) -> str | None:
        return first(n for n, arm in of.items() if params.subsets[arm.subset].count == "all")

    return Roles(
        first(plain),
        first(n for n, arm in standard.items() if arm.subset == subset),
        whole(standard),
        first(n for n, arm in warm.items() if params.subsets[arm.subset].count != "all"),
        whole(warm),
    )


def may_ship(arms: dict[str, Arm], params: Settings) -> dict[str, Arm]:
    """Return the arms that compete: made of the primary arm's images, and not there to be compared with alone."""
    subset = params.arms[params.evidence.primary].subset
    return {
        name: arm for name, arm in arms.items()
        if arm.subset == subset and arm.augment != "plain" and Path(arm.fakes).name not in (paths.UNGATED, paths.CHANCE)
    }  # fmt: skip

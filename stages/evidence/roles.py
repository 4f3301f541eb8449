"""The parts that arms play in the comparison, told by what they are made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stages.settings import NONE, Arm, Settings

OLD = "zero_shot"  # the detector that was there before the product came


@dataclass(frozen=True)
class Roles:
    """The arms that others are measured against, by what they are made of; None where there is no such arm."""

    few: str | None  # the few real images as they are …
    baseline: str | None  # … with standard augmentation
    ceiling: str | None  # all real images
    warm: str | None  # the few, from the known products' detector …
    warm_fakes: str | None  # … and with fakes


def from_scratch(arm: Arm) -> bool:
    """Return whether an arm's detector goes on from no other."""
    return arm.start == NONE


def roles(arms: dict[str, Arm], params: Settings) -> Roles:
    """Return which of some arms plays which part: the first that is made so."""

    def first(names: Iterable[str]) -> str | None:
        return next(iter(names), None)

    bare = {name: arm for name, arm in arms.items() if arm.ratio == 0}
    plain = [n for n, arm in bare.items() if from_scratch(arm) and arm.augment == "plain"]
    subset = arms[plain[0]].subset if plain else None
    standard = {n: arm for n, arm in bare.items() if from_scratch(arm) and arm.augment == "standard"}
    return Roles(
        first(plain),
        first(n for n, arm in standard.items() if arm.subset == subset),
        first(n for n, arm in standard.items() if params.subsets[arm.subset].count == "all"),
        first(n for n, arm in bare.items() if not from_scratch(arm)),
        first(n for n, arm in arms.items() if not from_scratch(arm) and arm.ratio),
    )

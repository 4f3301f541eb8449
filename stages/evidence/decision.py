"""Two decisions, each with its reason: does the product's new detector replace the old one, and with the fakes?"""

from __future__ import annotations

from dataclasses import dataclass

from stages.evidence.statistics import Difference


@dataclass(frozen=True)
class Decision:
    yes: bool
    why: str


def include_fakes(primary: str, baseline: str, gain: Difference | None) -> Decision:
    """The fakes are included only if they help beyond what standard augmentation gives."""
    if gain is None:
        return Decision(False, f"{primary} or {baseline} was not run")
    said = f"{primary} against {baseline}: {_says(gain)}"
    return Decision(gain.low > 0, said + ("" if gain.low > 0 else ", so that fakes are not shown to help"))


def promote(chosen: str, gain: Difference | None, known: Difference | None, margin: float) -> Decision:
    """The product's detector is promoted if it beats the old one there, and the known products hold."""
    if gain is None or known is None:
        return Decision(False, f"{chosen} or zero_shot was not run")
    said = f"{chosen} against the old detector: {_says(gain)} on the product, {_says(known)} on the known ones"
    if gain.low <= 0:
        return Decision(False, said + "; not shown to be better")
    if known.low <= -margin:
        return Decision(False, said + f"; these may lose {margin:g} at most")
    return Decision(True, said)


def _says(of: Difference) -> str:
    return f"{of.value:+.3f} mAP50-95 ({of.low:+.3f} to {of.high:+.3f})"

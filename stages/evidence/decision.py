"""Two decisions, each with its reason: do the fakes help, and which detector replaces the product's old one, if any?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stages.evidence import statistics
from stages.evidence.arm_roles import OLD
from stages.evidence.statistics import Difference, Interval
from stages.wording import gain_within, percent_within


@dataclass(frozen=True)
class Decision:
    yes: bool
    why: str
    chosen: str | None = None  # the detector that it is about


@dataclass(frozen=True)
class Offer:
    """One arm's detector as it would ship.

    Its score is the mean of mAP50-95 and of the share of objects that it finds at the confidence a station works with:
    a detector is not better that scores higher and finds less.
    """

    name: str
    score: Interval
    found: Interval
    gain: Difference | None  # of score, on the product, over the old detector; None: there is none
    kept: (
        tuple[Difference, ...] | None
    )  # on the known products: mAP50-95, objects found; None: it looks for none of them


def include_fakes(primary: str, baseline: str, gain: Difference | None) -> Decision:
    """Decide whether fakes are included: only if they help beyond what standard augmentation gives."""
    if gain is None:
        return Decision(False, f"{primary} or {baseline} was not run")
    said = f"{primary} against {baseline}: {_says(gain)} mAP50-95"
    return Decision(gain.low > 0, said + ("" if gain.low > 0 else ", so that fakes are not shown to help"))


def promote(offers: Iterable[Offer], margin: float, least_found: float) -> Decision:
    """Choose the detector whose score is highest at the lower end of its interval, of those with which the known
    products hold; decide whether it replaces the old one, or, where there is none, whether it does what is asked. The
    best of several looks better than it is: its gain over the old one is Holm-corrected among them."""
    there = list(offers)
    if not there:
        return Decision(False, "no arm that may ship was run")
    holding = [offer for offer in there if offer.kept is None or min(kept.low for kept in offer.kept) > -margin]
    if not holding:
        worst = max(there, key=lambda offer: offer.score.low)
        said = ", ".join(_says(kept) for kept in worst.kept or ())
        return Decision(False, f"with none of {len(there)} detectors the known products hold: {margin:g} may be lost, "
                        f"with {worst.name} it is {said} (mAP50-95, objects found)", worst.name)  # fmt: skip
    best = max(holding, key=lambda offer: offer.score.low)
    gains = {offer.name: offer.gain.p for offer in holding if offer.gain}
    corrected = dict(zip(gains, statistics.holm(list(gains.values())), strict=True))
    before = f"against the old detector {_says(best.gain)}" if best.gain else "there was no detector before"
    found = percent_within(best.found.value, best.found.low, best.found.high)
    said = (f"{best.name} finds {found} of the objects; the mean of that and of its mAP50-95 is {_of(best.score)}, "
            f"the best lower end of {len(holding)}; {before}")  # fmt: skip
    if best.gain and (best.gain.low <= 0 or corrected[best.name] >= statistics.LEVEL):
        return Decision(False, said + "; not shown to be better", best.name)
    if best.found.low < least_found:
        return Decision(False, said + f"; {100 * least_found:.0f} % are asked for", best.name)
    if best.gain is None:
        return Decision(True, said, best.name)
    if best.kept is None:
        return Decision(True, said + "; it looks for this product alone, the known ones keep their detector", best.name)
    return Decision(True, said + f"; on the known products {', '.join(map(_says, best.kept))}", best.name)


def put_to_use(decided: dict) -> str:
    """Return whose detector the decisions, as they are written down, put to use: the chosen arm's, or the old one. One
    that is not promoted is still the best there is where there was none before."""
    return decided.get("chosen", OLD) if decided["promote_product"] or not decided["detector_before"] else OLD


def _of(share: Interval) -> str:
    return f"{share.value:.3f} ({share.low:.3f} to {share.high:.3f})"


def _says(of: Difference) -> str:
    return gain_within(of.value, of.low, of.high)

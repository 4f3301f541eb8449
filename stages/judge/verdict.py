"""The verdict on one candidate: green new and good, yellow new but doubtful, white mostly partial, red known."""

from __future__ import annotations

from dataclasses import dataclass

from stages.judge.arrangement import Difference
from stages.judge.limits import Limits
from stages.judge.quality import Quality

COLOURS = ("green", "yellow", "white", "red")


@dataclass(frozen=True)
class Evidence:
    """All that is known of one candidate."""

    distance: float  # to the nearest training image
    nearest: str  # its name
    arrangement: Difference
    like: str  # the training image with the nearest arrangement
    quality: Quality
    manifold: float  # distance of its features from the nearest real image


def verdict(of: Evidence, copy: float, limits: Limits) -> tuple[str, str]:
    """A colour and its reason."""
    seen = of.quality
    if of.distance <= copy:
        return "red", f"copy of {of.nearest}, distance {of.distance:.3f} under {copy:.3f}"
    if not seen.objects:
        return "white", "no object is found"
    if not of.arrangement.changes:
        return "red", f"the arrangement of {of.like}"
    if 2 * seen.partial > seen.objects:
        return "white", f"{seen.partial} of {seen.objects} objects are partial"
    doubts = []
    if seen.partial:
        doubts.append(f"{seen.partial} of {seen.objects} objects partial")
    if seen.faint:
        doubts.append(f"{seen.faint} of {seen.objects} objects fainter than real ones")
    if seen.least is not None and seen.least < limits.confidence:
        doubts.append(f"one object at {seen.least:.2f} under {limits.confidence:.2f}")
    if seen.trace > limits.trace:
        doubts.append(f"a ghost at {seen.trace:.3f} over {limits.trace:.3f}")
    if seen.ghost > limits.ghost:
        doubts.append(f"something half drawn, {seen.ghost:.3f} over {limits.ghost:.3f}")
    if of.manifold > limits.manifold:
        doubts.append(f"unlike real images, {of.manifold:.3f} over {limits.manifold:.3f}")
    change = f"{of.arrangement.says()} against {of.like}"
    return ("yellow", f"new ({change}), but {'; '.join(doubts)}") if doubts else ("green", f"new: {change}")

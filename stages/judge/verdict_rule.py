"""The verdict on one candidate: green new and good, yellow new but doubtful, white mostly partial, red known."""

from __future__ import annotations

from dataclasses import dataclass

from stages.judge.arrangement import ArrangementChange
from stages.judge.grading import Grade
from stages.judge.quality import Quality

NEW = 2  # sure objects elsewhere, from which a picture is no copy: one may be a mistake of the detector


@dataclass(frozen=True)
class CandidateEvidence:
    """All that the verdict on one candidate rests on."""

    distance: float  # to the nearest training image
    nearest: str  # its name
    arrangement: ArrangementChange
    like: str  # the training image with the nearest arrangement
    quality: Quality
    grade: Grade
    manifold: float  # distance of its features from the nearest real image
    elsewhere: int = 0  # sure objects that lie where no training image shows one, where the distance leaves it open
    faintly_there: bool = False  # all that the picture lacks of that training image is seen there, if not surely


def near_a_copy(distance: float, copy: float, slack: float) -> bool:
    """Return whether a picture is so near to a training image that it may be a copy of it."""
    return distance <= copy * (1 + slack)


def verdict(of: CandidateEvidence, copy: float, slack: float) -> tuple[str, str]:
    """Return the colour of a candidate, and the reason."""
    found, objects = of.quality, len(of.quality.whole.boxes)
    counted = ("ghost", found.ghosts), ("part", found.parts)
    faults = [f"{count} {name}{'s' * (count > 1)}" for name, count in counted if count]
    new = of.elsewhere >= NEW  # in the same bin small objects elsewhere hardly change the pixels' distance
    if of.distance <= copy and not new:
        return "red", f"copy of {of.nearest}, distance {of.distance:.3f} under {copy:.3f}"
    if not objects or of.grade.colour == "white":
        counts = ", ".join([f"{objects or 'no'} whole object{'s' * (objects != 1)}", *faults])
        return "white", f"{counts}; {of.grade.says()}" if objects else counts
    if not of.arrangement.changes and not faults:
        return "red", f"the arrangement of {of.like}"
    if of.faintly_there and not faults:
        return "red", f"the arrangement of {of.like}, {of.arrangement.says()} but faintly seen"
    doubts = []
    if of.grade.colour == "yellow":
        doubts.append(", ".join([*faults, of.grade.says()]))
    if near_a_copy(of.distance, copy, slack) and not new:
        doubts.append(f"perhaps a copy of {of.nearest}, distance {of.distance:.3f} near {copy:.3f}")
    change = f"{of.arrangement.says()} against {of.like}"
    return ("yellow", f"new ({change}), but {'; '.join(doubts)}") if doubts else ("green", f"new: {change}")

"""Why photographs were chosen to be annotated next, what to expect of them, and the page that shows both."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stages import drawing, page, paths
from stages.dataset import photo
from stages.evidence.more_photographs import Curve
from stages.evidence.statistics import Interval
from stages.feedback.labels import VIEWS
from stages.product import detection_doubt
from stages.product.card import Card
from stages.product.detection_doubt import Sighting
from stages.product.product_page import GRID, WIDTH, code_block
from stages.wording import gain_within


@dataclass(frozen=True)
class Choice:
    """A photograph that was chosen: what it is called now, where it comes from, what is seen in it, and the reason."""

    name: str
    path: Path
    things: list[Sighting]
    why: str


def reasons(picks: Sequence[int], doubts: Sequence[float], things: Sequence[list[Sighting]]) -> list[str]:
    """Return in plain words why each photograph was chosen."""
    ascending, taken = sorted(doubts), []
    found = []
    for place in picks:
        more = len(doubts) - bisect_right(ascending, doubts[place])
        line = f"{of_things(things[place])}: {doubts[place]:.1f} mistakes expected, number {1 + more} of {len(doubts)}"
        passed = more - (len(taken) - bisect_right(taken, doubts[place]))
        if passed:
            line += f"; taken before {passed} in more doubt, which look more like those above"
        insort(taken, doubts[place])
        found.append(line)
    return found


def of_things(things: list[Sighting]) -> str:
    """Return in plain words what the detector doubts in a photograph."""
    if not things:
        return "it finds nothing there"
    partly = [thing for thing in things if thing.doubtful and thing.views < len(VIEWS)]
    unsure = [100 * thing.certainty for thing in things if thing.doubtful and thing.views == len(VIEWS)]
    said = []
    if partly:
        said.append(f"{counted(len(partly))} that only some of its mirrored views show")
    if unsure:
        between = f"{min(unsure):.0f} to {max(unsure):.0f}" if len(unsure) > 1 else f"{unsure[0]:.0f}"
        said.append(f"{counted(len(unsure))} that it is {between} % certain of")
    return " and ".join(said) or "nothing that it sees is in doubt"


def counted(number: int) -> str:
    return f"{number} thing{'s' * (number > 1)}"


def expected(about: Card, more: int, curve: Curve | None) -> list[str]:
    """Return in a few sentences what annotating more photographs is expected to bring, and when to stop."""
    learnt = len(about.trained_on.get("photographs", []))
    lines = [f"The detector has learnt from {learnt} photographs of {about.product}."]
    if curve is None or not curve.steps:
        return [*lines, "What more of them bring cannot be said: there is no curve (`make evidence` makes one)."]
    first, last = curve.steps[0].fewer, curve.steps[-1].more
    of = (f"a curve over {first} to {last} photographs without composed pictures ({paths.STUDY}), of "
          f"{', '.join(curve.products)}")  # fmt: skip
    one, all_ = curve.gain(learnt, 1), curve.gain(learnt, more)
    if one is None or all_ is None:
        side = "fewer" if learnt < first else "more"
        return [*lines, f"What further ones bring cannot be said: that is {side} than {of}, says anything about."]
    lines.append(f"Photograph number {learnt + 1} is expected to bring {gained(one)} mAP50-95, these {more} together "
                 f"{gained(all_)}: read from {of}.")  # fmt: skip
    if all_.low <= 0:
        lines.append("The interval holds 0: on other products it may be nothing.")
    if curve.chance is not None:
        enough = curve.enough(more)
        at = f"with {enough} photographs" if enough else f"not before the curve ends, at {last} photographs"
        lines.append(f"Stop when {more} more bring less than {curve.chance:.3f}, by which two trainings differ by "
                     f"chance: on this curve {at}.")  # fmt: skip
    return lines


def gained(gain: Interval) -> str:
    return gain_within(gain.value, gain.low, gain.high)


def render(chosen: Sequence[Choice], lines: Sequence[str], about: Card, of: int, into: Path) -> str:
    """Return the page."""
    head = f"{len(chosen)} of {of} photographs to annotate next for {about.product}"
    names = ", ".join(known.name for known in about.classes)
    parts = [
        f"<h1>{page.text(head)}</h1>",
        "<p>Those in which the detector is expected to be wrong most often, and that are unlike each other. A mistake "
        "is expected where it is unsure, or sees a thing in some of a photograph's four mirrored views only. On the "
        "built-in products ten chosen so were not shown to be worth more than ten drawn by chance "
        "(<code>docs/product.md</code>).</p>",
        "<h2>What to expect</h2>", *(f"<p>{page.text(line)}</p>" for line in lines),
        "<h2>The photographs</h2>",
        "<p class=soft>What is drawn is proposed in <code>annotations.json</code>, with its certainty in percent. "
        "Blue: the detector is sure. Orange: it is in doubt. What it has missed is to be drawn by hand.</p>",
        GRID, *(pictured(number, one, about) for number, one in enumerate(chosen, 1)), "</div>",
        "<h2>What to do next</h2>",
        f"<p>CVAT: a task with the labels {page.text(names)} and the pictures in "
        f"<code>{page.text(into / 'images')}</code>; then <i>Upload annotations</i>, COCO 1.0, "
        "<code>annotations.json</code>. Label Studio: <code>label-studio-sdk</code>'s converter makes tasks of it. "
        "Correct what is there, export it as COCO, and unpack the export. It is checked, and becomes a folder with "
        "<code>images/</code> and <code>annotations.json</code> to train on, by</p>",
        code_block("python -m stages.dataset.formats EXPORT INTO"),
    ]  # fmt: skip
    return page.page(head, "\n".join(parts))


def pictured(number: int, one: Choice, about: Card) -> str:
    """Return one photograph with what is proposed in it."""
    small = photo.fit(photo.shown(one.path), WIDTH)
    height, width = small.shape[:2]
    for thing in detection_doubt.proposed(one.things):
        name = drawing.printable(about.classes[thing.number].name, thing.number)
        colour = drawing.WRONG if thing.doubtful else drawing.SURE
        drawing.box(small, tuple(thing.box * ((width, height) * 2)), colour, f"{name} {100 * thing.certainty:.0f}")
    return page.picture(small, f"{number}. {one.name}: {one.why}")

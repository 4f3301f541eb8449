"""What people say of candidates (data/reviews/<experiment>.csv): one row a decision, kept in git.

A row holds for the very picture that its author saw: after another training the same name may be another picture, so
each row carries a piece of the picture's digest, and one whose picture is gone says nothing.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from stages import files, paths, tables
from stages.judge.colours import COLOURS
from stages.problem import Problem

STARS = ("1", "2", "3", "4", "5")
VERDICT, RATING, PREFERENCE = "verdict", "stars", "over"  # of the preferred one, and then the other's id as value


LONGEST = 100  # characters of a person's name


@dataclass(frozen=True)
class Row:
    when: str  # UTC, ISO 8601
    who: str
    id: str  # of the candidate
    picture: str  # mark of the picture that was seen
    what: str
    value: str


@dataclass(frozen=True)
class Said:
    """What people have said, in sum, of the candidates that there are now."""

    verdicts: dict[str, tuple[str, str]]  # of each candidate that people agree on: colour, and who said so
    disputed: list[str]  # candidates that got as many votes for one colour as for another
    gone: int  # rows of pictures that are no more, or that another experiment's name was written into


def path(experiment: str) -> Path:
    return paths.REVIEWS / f"{experiment}.csv"


def mark(picture: Path) -> str:
    """Return what tells a picture from another that bears its name."""
    return files.digest(picture)[:12]


def new(who: str, id_: str, picture: str, what: str, value: str) -> Row:
    """Return a record of what a person says now of one candidate."""
    row = Row(datetime.now(UTC).isoformat(timespec="seconds"), who.strip(), id_, picture, what, value)
    if wrong := _wrong(row):
        raise Problem(wrong)
    return row


def read(file: Path) -> list[Row]:
    """Return all rows; none where nobody said anything yet."""
    if not file.exists():
        return []
    names = [field.name for field in fields(Row)]
    try:
        reader = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"), newline=""))
        listed, first = list(reader), reader.fieldnames
    except (csv.Error, UnicodeDecodeError) as error:
        raise Problem(f"{file}: no table ({error})") from None
    if first != names:
        raise Problem(f"{file}: its first line must be {','.join(names)}")
    rows = []
    for number, values in enumerate(listed, 2):
        if None in values or None in values.values():
            raise Problem(f"{file}, line {number}: {len(names)} values are expected")
        rows.append(Row(**values))
        if wrong := _wrong(rows[-1]):
            raise Problem(f"{file}, line {number}: {wrong}")
    return rows


def write(file: Path, rows: list[Row]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [field.name for field in fields(Row)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    files.write(file, text.getvalue())


def without_last(rows: list[Row], who: str) -> tuple[list[Row], Row | None]:
    """Return all but what a person said last, and that."""
    for k in reversed(range(len(rows))):
        if rows[k].who == who:
            return rows[:k] + rows[k + 1 :], rows[k]
    return rows, None


def said(rows: list[Row], marks: dict[str, str]) -> Said:
    """Return what people have said in sum. A person's last word on a candidate counts, and the most votes decide.

    marks: of the candidates that there are now; rows about other pictures do not count.
    """
    votes: dict[str, dict[str, str]] = {}
    gone = 0
    for row in rows:
        if marks.get(row.id) != row.picture:
            gone += 1
        elif row.what == VERDICT:
            votes.setdefault(row.id, {})[row.who] = row.value
    verdicts, disputed = {}, []
    for id_, by in votes.items():
        (colour, most), *others = Counter(by.values()).most_common()
        if others and others[0][1] == most:
            disputed.append(id_)
        else:
            verdicts[id_] = colour, ", ".join(who for who, value in by.items() if value == colour)
    return Said(verdicts, disputed, gone)


def _wrong(row: Row) -> str | None:
    if not row.who:
        return "who says it? a name is missing"
    if len(row.who) > LONGEST or not row.who.isprintable() or tables.cell(row.who) != row.who:
        return f"who says it? expected a name of at most {LONGEST} characters on one line, and no formula"
    allowed = {VERDICT: COLOURS, RATING: STARS}
    if row.what not in (*allowed, PREFERENCE):
        return f"what: {row.what!r} is not allowed: expected one of {', '.join((*allowed, PREFERENCE))}"
    if row.what in allowed and row.value not in allowed[row.what]:
        return f"value: {row.value!r} is not allowed: expected one of {', '.join(allowed[row.what])}"
    return None

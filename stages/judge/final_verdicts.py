"""The verdicts that count (data/verdicts/<experiment>.csv, and what the set is like as .json).

They are the judge's own, and where a person has said something else (`make review`), the person's.
"""

from __future__ import annotations

from collections import Counter

import pandas as pd

from stages import command, files, paths, tables
from stages.judge import judged_table, review_records
from stages.judge.colours import COLOURS, interval, kappa
from stages.judge.review_records import Said

SAYS = ", says "  # between a colour and the people who gave it


def main(experiment: str) -> None:
    judged = judged_table.read(experiment)
    pictures = {id_: review_records.mark(paths.CANDIDATES / experiment / f"{id_}.png") for id_ in judged["id"]}
    said = review_records.said(review_records.read(review_records.path(experiment)), pictures)
    if said.gone:
        file = review_records.path(experiment)
        print(f"{file}: {said.gone} rows are of pictures that are not there now; they do not count")
    table = honoured(judged, said)
    tables.write(paths.VERDICTS / f"{experiment}.csv", table)
    facts = files.read_json(paths.JUDGED / f"{experiment}.json")
    files.write_json(paths.VERDICTS / f"{experiment}.json", facts | summary(table, said))


def honoured(judged: pd.DataFrame, said: Said) -> pd.DataFrame:
    """Return the judge's table with people's verdicts in the place of its own, which stay beside them."""
    table = judged.copy()
    table.insert(2, "judged", judged["verdict"])
    for k, id_ in enumerate(table["id"]):
        if id_ in said.verdicts:
            colour, who = said.verdicts[id_]
            table.loc[k, ["verdict", "reason"]] = colour, f"{colour}{SAYS}{who}"
    return table


def undecided(verdicts: pd.DataFrame) -> pd.Series:
    """Return which candidates are doubtful and not spoken of by anybody."""
    yellow = COLOURS[1]
    return (verdicts["verdict"] == yellow) & ~verdicts["reason"].str.startswith(yellow + SAYS)


def summary(table: pd.DataFrame, said: Said) -> dict:
    """Return how many of each colour there are, what the copies are of, and how far people and judge agree."""
    colours, red = Counter(table["verdict"]), table.loc[table["verdict"] == "red"]
    copied = Counter(red["nearest"].where(red["distance"] <= red["threshold"], red["arrangement_like"]))
    judged = dict(zip(table["id"], table["judged"], strict=True))
    pairs = [(colour, judged[id_]) for id_, (colour, _) in said.verdicts.items()]
    beyond_chance = kappa(pairs)
    return {
        "candidates": len(table),
        "colours": {
            colour: {"count": colours[colour], "share": round(colours[colour] / len(table), 4),
                     "interval": [round(v, 4) for v in interval(colours[colour], len(table))]}
            for colour in COLOURS
        },
        "copied": dict(copied.most_common()),
        "reviews": {
            "candidates": len(pairs), "agreed": sum(a == b for a, b in pairs),
            "kappa": None if beyond_chance is None else round(beyond_chance, 4),
            "disputed": len(said.disputed), "gone": said.gone,
        },
    }  # fmt: skip


if __name__ == "__main__":
    command.run(main, __doc__, experiment="which of params.yaml's experiments or compositions")

"""Compose the candidates of one experiment (data/candidates/<experiment>), with labels that are exact.

annotations.json holds box and mask of every visible object; each candidate can be made again from its row of
manifest.csv alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from stages import command, files, paths, settings
from stages.compose import candidates, classic, paste
from stages.compose.candidates import Made, Row
from stages.extract import cutouts, empty_bin

SEEDS = 1_000_000  # of candidates, for each seed of the project


def main(experiment: str) -> None:
    params = settings.load()
    asked = settings.named(experiment, params.pastes | params.classics)
    subset = paths.SUBSETS / asked.subset
    made_of = classic_of(subset)
    if experiment in params.pastes:
        report(subset)
        made_of = paste_of(subset, Path(asked.objects), Path(asked.floor))
    with files.replacing(paths.CANDIDATES / experiment) as folder:
        rows = write(experiment, made_of, subset, params.now.composed, params.seed, folder, folder)
        candidates.write_manifest(folder, rows)


def paste_of(subset: Path, drawn: Path, floor: Path) -> Row:
    """What a manifest's rows say of where their pictures' parts come from."""
    parents = candidates.parents(subset, drawn, floor)
    return {"parents": parents, "how": "paste", "objects": str(drawn), "floor": str(floor)}


def classic_of(subset: Path) -> Row:
    return {"parents": str(subset), "how": "classic", "objects": "", "floor": ""}


def write(
    experiment: str, made_of: Row, subset: Path, count: int, seed: int, folder: Path, pictures: Path
) -> list[Row]:
    """Fill `folder` with the annotations of so many candidates, and `pictures` with them; their rows."""
    several = ways(made_of["how"])
    rows: list[Row] = [
        {"id": f"{experiment}_{number:04}", "experiment": experiment, "step": 0,
         "seed": seed * SEEDS + number // len(several), **made_of, "way": several[number % len(several)]}
        for number in range(count)
    ]  # fmt: skip
    return candidates.write(rows, make, subset, folder, pictures)


def ways(how: str) -> tuple[str, ...]:
    """In which a candidate of the same seed is made."""
    return paste.BLENDINGS if how == "paste" else ("",)


def report(subset: Path) -> None:
    """What there is to compose with, for whoever reads the log."""
    found, units, left_out = cutouts.usable(subset)
    empty = empty_bin.backgrounds(found)
    cut = sum(how == "grabcut" for unit in units for how in unit.cut)
    print(f"{subset}: {sum(len(u.masks) == 1 for u in units)} objects that stand alone, "
          f"{sum(len(u.masks) > 1 for u in units)} groups that hide parts of each other, of {len(found)} images; "
          f"{cut} outlines by GrabCut; left out: {dict(left_out) or 'none'}")  # fmt: skip
    print(f"background: {100 * empty.unseen:.1f} % is seen in no image and inpainted; "
          f"at most {100 * empty.ghost:.1f} % of the objects' detail is left in it")  # fmt: skip


def make(row: Row) -> Made:
    """The candidate that a row of a manifest speaks of."""
    subset = candidates.subset_of(row)
    return _maker(row["how"], subset, row["objects"], row["floor"])(int(row["seed"]), row["way"])


@lru_cache(maxsize=2)
def _maker(how: str, subset: Path, drawn: str, floor: str) -> Callable[[int, str], Made]:
    if how == "paste":
        of = paste.stock(subset, Path(drawn), Path(floor))
        return lambda seed, way: paste.compose(of, seed, way)
    found, _ = cutouts.scenes(subset)
    return lambda seed, _way: classic.change(found[seed % len(found)], seed)


if __name__ == "__main__":
    command.run(main, __doc__, experiment="which of params.yaml's pastes and classics")

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
from stages.dataset import background, cutouts

SEEDS = 1_000_000  # of candidates, for each seed of the project


def main(experiment: str) -> None:
    params = settings.load()
    asked = settings.named(experiment, params.pastes | params.classics)
    how = "paste" if experiment in params.pastes else "classic"
    subset = paths.SUBSETS / asked.subset
    if how == "paste":
        report(subset)
    with files.replacing(paths.CANDIDATES / experiment) as folder:
        rows = write(experiment, how, subset, params.now.composed, params.seed, folder, folder)
        candidates.write_manifest(folder, rows)


def write(experiment: str, how: str, subset: Path, count: int, seed: int, folder: Path, pictures: Path) -> list[Row]:
    """Fill `folder` with the annotations of so many candidates, and `pictures` with them; their rows."""
    rows: list[Row] = [
        {"id": f"{experiment}_{number:04}", "experiment": experiment, "step": 0,
         "seed": seed * SEEDS + number // len(ways(how)), "parents": str(subset), "how": how,
         "way": ways(how)[number % len(ways(how))]}
        for number in range(count)
    ]  # fmt: skip
    return candidates.write(rows, make, subset, folder, pictures)


def ways(how: str) -> tuple[str, ...]:
    """In which a candidate of the same seed is made."""
    return paste.BLENDINGS if how == "paste" else ("",)


def report(subset: Path) -> None:
    """What there is to compose with, for whoever reads the log."""
    found, units, left_out = cutouts.usable(subset)
    empty = background.backgrounds(found)
    cut = sum(how == "grabcut" for unit in units for how in unit.cut)
    print(f"{subset}: {sum(len(u.masks) == 1 for u in units)} objects that stand alone, "
          f"{sum(len(u.masks) > 1 for u in units)} groups that hide parts of each other, of {len(found)} images; "
          f"{cut} outlines by GrabCut; left out: {dict(left_out) or 'none'}")  # fmt: skip
    print(f"background: {100 * empty.unseen:.1f} % is seen in no image and inpainted; "
          f"at most {100 * empty.ghost:.1f} % of the objects' detail is left in it")  # fmt: skip


def make(row: Row) -> Made:
    """The candidate that a row of a manifest speaks of."""
    return _maker(row["how"], row["parents"])(int(row["seed"]), row["way"])


@lru_cache(maxsize=2)
def _maker(how: str, parents: str) -> Callable[[int, str], Made]:
    if how == "paste":
        of = paste.stock(Path(parents))
        return lambda seed, way: paste.compose(of, seed, way)
    found, _ = cutouts.scenes(Path(parents))
    return lambda seed, _way: classic.change(found[seed % len(found)], seed)


if __name__ == "__main__":
    command.run(main, __doc__, experiment="which of params.yaml's pastes and classics")

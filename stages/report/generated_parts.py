"""What pictures are composed of, where a model made it: floors, objects, and what lay under objects."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from stages import files, page, paths
from stages.dataset import photo
from stages.settings import Settings

WIDTH = 1200  # pixels of a picture, at most
CLASSICAL = "telea"


def section(params: Settings) -> list[str]:
    """Return the section as HTML; nothing where no model has been trained."""
    painted = [
        shown(paths.PLOTS / "texture" / f"{name}.jpg",
              f"{name}: squares that it has learnt from; a picture nine times as large; one that tiles, nine times")
        for name in params.textures
    ]  # fmt: skip
    drawn = [
        shown(paths.PLOTS / "objects" / f"{name}.jpg",
              f"{name}: above, objects that it has learnt from, upright; below, what it draws; each with its mask")
        for name in params.object_gans
    ]  # fmt: skip
    titled = (("Floors", painted), ("Objects", drawn), ("What lay under an object", filled()))
    parts = [part for title, found in titled if any(found) for part in (f"<h3>{title}</h3>", *found)]
    return ["<h2 id='materials'>What pictures are composed of</h2>", *parts] if parts else []


def shown(path: Path, alt: str) -> str:
    return page.picture(photo.fit(photo.read(path), WIDTH), alt) if files.there(path) else ""


def filled() -> list[str]:
    """Return a comparison, as HTML, of the networks that fill holes with a filling that has learnt nothing."""
    folder = paths.PLOTS / "inpaint_compare"
    if not (folder / "sides.jpg").exists():
        return []
    scores = pd.read_csv(folder / "scores.csv").set_index("network")
    learnt = scores.drop(CLASSICAL)
    parts = [shown(folder / "sides.jpg", "holes of an object's shape, what each network puts there, and the truth")]
    if len(learnt):
        best, classical = learnt["psnr"].idxmax(), scores.loc[CLASSICAL, "psnr"]
        word = "beats" if learnt["psnr"].max() > classical else "does not beat"
        parts.append(f"<p>The best network, {page.text(best)}, {word} the classical filling ({CLASSICAL}): "
                     f"{learnt['psnr'].max():.1f} against {classical:.1f} dB PSNR in the holes.</p>")  # fmt: skip
    rows = [[name, *row] for name, row in zip(scores.index, scores.to_numpy().tolist(), strict=True)]
    return [*parts, page.table(["", *scores.columns], rows)]

"""One section for each experiment: what it drew, how it trained, what became of its candidates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from stages import drawing, files, page, paths, tables
from stages.dataset import coco, photo
from stages.gan import compare as gans
from stages.judge import candidate_pictures, reference
from stages.judge.colours import COLOURS, PAINT, THESIS
from stages.settings import Settings
from stages.training import run_facts

SHOWN = 6  # accepted candidates in a gallery
TILE = 240  # pixels of their width
GRID = 720  # … and of a grid of samples


@dataclass(frozen=True)
class Gallery:
    """A picture of accepted candidates beside the training images that they are nearest to, and how many there are in
    all."""

    picture: np.ndarray
    accepted: int


def section(name: str, params: Settings) -> list[str]:
    """Return an experiment's section as HTML; of one that has not run it says so."""
    parts = [f"<h3 id='{name}'>{name}</h3>"]
    candidates = paths.CANDIDATES / name / "manifest.csv"
    if not candidates.exists():
        return [*parts, "<p class=soft>Not run.</p>"]
    verdicts, accepted = paths.VERDICTS / f"{name}.json", paths.ACCEPTED / name / "accepted.json"
    facts = files.read_json(verdicts) if name in params.judged and files.there(verdicts) else None
    if facts:
        parts.append(f"<p>{sentence(name, facts)}</p>")
    if accepted.exists():
        counts = files.read_json(accepted)
        why = "; ".join(f"{reason}: {count}" for reason, count in counts["rejected"].items())
        parts.append(f"<p>{counts['accepted']} of {counts['candidates']} became training data"
                     f"{f' ({why})' if why else ''}.</p>")  # fmt: skip
    left, right = drawn(name)
    if facts:
        alt = f"{name}: verdicts on its candidates{', above the thesis’s own, hatched' if name in THESIS else ''}"
        left.insert(0, page.figure(bars(name, facts), alt))
    if accepted.exists() and (shown := gallery(name)):
        alt = f"{name}: {min(SHOWN, shown.accepted)} of {shown.accepted} accepted candidates with their labels, " \
              "each above the training image it is nearest to"  # fmt: skip
        right.append(page.picture(shown.picture, alt))
    return [*parts, "<div class='figures'><div>", *left, "</div><div>", *right, "</div></div>"]


def sentence(name: str, facts: dict) -> str:
    shares = ", ".join(f"{100 * facts['colours'][c]['share']:.1f} % {c}" for c in COLOURS)
    theirs = f" The thesis, by eye: {', '.join(f'{v:g} % {c}' for v, c in zip(THESIS[name], COLOURS, strict=True))}." \
        if name in THESIS else ""  # fmt: skip
    return f"{facts['candidates']} candidates, {facts['distinct']} of them distinct: {shares}.{theirs}"


def bars(name: str, facts: dict) -> Figure:
    """Draw an experiment's shares of the four colours, beside the thesis's."""
    theirs = THESIS.get(name)
    drawing, axes = plt.subplots(figsize=(6, 1.5 if theirs else 1.05), constrained_layout=True)
    ours = [100 * facts["colours"][colour]["share"] for colour in COLOURS]
    for values, at, hatch in ((ours, 0, ""), (theirs, 1, "///")):
        left = 0.0
        for colour, value in zip(COLOURS, values or (), strict=bool(values)):
            axes.barh(at, value, 0.7, left=left, color=PAINT[colour], edgecolor="#555555", hatch=hatch, lw=0.4)
            if value > 6:
                axes.text(left + value / 2, at, f"{colour} {value:.0f}", ha="center", va="center", fontsize=8,
                          bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1})  # fmt: skip
            left += value
    axes.set(yticks=range(2 if theirs else 1), yticklabels=["ours", "thesis"][: 2 if theirs else 1], xlim=(0, 100),
             xlabel="percent of the candidates")  # fmt: skip
    axes.invert_yaxis()
    axes.grid(visible=False)
    return drawing


def drawn(name: str) -> tuple[list[str], list[str]]:
    """Return a GAN's curves, and its samples, as HTML; nothing where it has not run."""
    if (paths.GANS / name / run_facts.FACTS).exists():
        found = gans.read(name)
        return (
            [page.figure(gans.curves(found.curves), f"{name}: losses, estimates, the critic's accuracy")],
            [page.picture(photo.fit(found.grid, GRID), f"{name}: 100 samples at the end of training")],
        )
    return [], []


def gallery(name: str) -> Gallery | None:
    """Return a picture of accepted candidates, spread from the surest to the least sure; None where there are none."""
    folder = paths.ACCEPTED / name
    if not files.read_json(folder / "annotations.json")["images"]:
        return None
    dataset = coco.read(folder / "annotations.json")
    objects, names = coco.by_image(dataset), {c.id: c.name for c in dataset.categories}
    near = nearest(name)
    tiles = []
    for k in np.linspace(0, len(dataset.images) - 1, min(SHOWN, len(dataset.images))).astype(int):
        image = dataset.images[k]
        small = scaled(photo.read(folder / "images" / image.file_name))
        ratio = small.shape[1] / image.width
        for a in objects[image.id]:
            drawing.box(small, tuple(v * ratio for v in a.bbox), drawing.TRUTH, names[a.category_id])
        known = near.get(Path(image.file_name).stem)
        beside = cv2.resize(photo.shown(known), small.shape[1::-1], interpolation=cv2.INTER_AREA) if known else None
        tiles.append(small if beside is None else np.concatenate([small, np.full_like(small[:4], 255), beside]))
    return Gallery(drawing.sheet(tiles, 3), len(dataset.images))


def scaled(pixels: np.ndarray) -> np.ndarray:
    height = round(pixels.shape[0] * TILE / pixels.shape[1])
    return cv2.resize(pixels, (TILE, height), interpolation=cv2.INTER_AREA)


def nearest(name: str) -> dict[str, Path]:
    """Return, for each candidate that was judged, the training image that it is nearest to."""
    said = paths.VERDICTS / f"{name}.csv"
    if not files.there(said):
        return {}
    manifest = candidate_pictures.listed(paths.CANDIDATES / name)
    folders = [parent / "images" for parent in reference.parents(manifest)]
    rows = tables.read(said)[["id", "nearest"]].to_numpy().tolist()
    return {id_: path for id_, image in rows for folder in folders if image and (path := folder / image).exists()}

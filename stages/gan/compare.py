"""All experiments side by side: reports/gan.html, a picture of samples, and the steps as metrics.

It shows what params.yaml names; an experiment that has not run yet is listed as such.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from stages import command, files, page, paths, settings
from stages.dataset import photo
from stages.settings import Experiment, Settings
from stages.training import run_facts

REPORT = paths.REPORTS / "gan.html"
OVERVIEW = paths.PLOTS / "gan_compare" / "experiments.jpg"
SHOWN = 10  # samples of each experiment in the overview
TILE = 72  # pixels of a sample there

# What the thesis reports of the same experiments: section, images, hours on a GTX 1080 Ti.
THESIS = {
    "dcgan_group": ("4.2", 151, 44),
    "wgan_group": ("4.3", 151, 70),
    "wgan_ten": ("4.4", 10, 17),
    "wgan_transfer": ("4.4.1", 10, 3),
    "wgan_pretrain": ("4.4.2", 1801, 150),
    "wgan_pretrained_ten": ("4.4.2", 10, 16),
    "wgan_feedback": ("4.4.3", 20, 16),
    "wgan_twenty": ("4.4.4", 20, 37),
}


@dataclass(frozen=True)
class Done:
    """What is left of a finished experiment to look at."""

    facts: dict
    grid: np.ndarray
    film: np.ndarray
    way: np.ndarray  # latent interpolation
    curves: pd.DataFrame


def main() -> None:
    params = settings.load()
    found = done(params)
    files.write_json(paths.METRICS / "gan.json", {
        f"{name}_{figure}": int(one.facts[figure])
        for name, one in found.items()
        for figure in ("steps", "collapsed")
    })  # fmt: skip
    photo.save(OVERVIEW, overview(found))
    files.write(REPORT, page.page("Tenfold: the GANs", body(params, found)))


def done(params: Settings) -> dict[str, Done]:
    """Return what is there of all experiments that have been run, by name."""
    return {name: read(name) for name in params.experiments if (paths.GANS / name / run_facts.FACTS).exists()}


def read(name: str) -> Done:
    folder = paths.GANS / name
    last = max((folder / "grids").iterdir())
    return Done(
        run_facts.read(folder), photo.read(last), photo.read(folder / "film.jpg"),
        photo.read(folder / "interpolation.jpg"),
        pd.read_csv(paths.PLOTS / "gan" / f"{name}.csv"),
    )  # fmt: skip


def body(params: Settings, found: dict[str, Done]) -> str:
    """Return the page's content as HTML."""
    rows = [_row(name, asked, found.get(name)) for name, asked in params.experiments.items()]
    head = [
        "experiment",
        "thesis",
        "images",
        "there",
        "steps",
        "collapse",
        "at scale thesis",
        "loss",
        "penalty",
        "continues",
        "hours there",
    ]
    parts = [
        "<h1>The GANs</h1>",
        f"<p class='soft'>Scale {params.scale}. Every experiment draws the same 100 latent vectors through training. "
        "Whether a sample is new and good is the judge's to say, not this page's.</p>",
        page.table(head, rows),
    ]
    for name, one in found.items():
        parts += [
            f"<h2 id='{name}'>{name}</h2>",
            f"<p>{sentence(one.facts)}</p>",
            "<div class='figures'><div>",
            page.picture(one.grid, f"{name}: 100 samples after {one.facts['steps']} steps of the critic"),
            page.picture(one.way, f"{name}: from one latent vector to another, five times"),
            "</div><div>",
            page.figure(curves(one.curves), f"{name}: losses, estimates and the critic's accuracy as a discriminator"),
            page.picture(one.film, f"{name}: the same six latent vectors from the start (left) to the end (right)"),
            "</div></div>",
        ]
    return "\n".join(parts)


def _row(name: str, asked: Experiment, one: Done | None) -> list[object]:
    section, images, hours = THESIS.get(name, ("", "", ""))
    parent = start.name if (start := settings.named_folder(asked.start)) else ""
    ours = [one.facts["images"], one.facts["steps"], collapsed(one.facts)] if one else ["", "not run", ""]
    link = page.raw(f'<a href="#{name}">{name}</a>') if one else name
    return [link, section, ours[0], images, ours[1], ours[2], length(asked), asked.loss, asked.penalty, parent, hours]


def length(asked: Experiment) -> str:
    """Return how long an experiment trains where no scale shortens it."""
    return f"{asked.epochs:,} epochs" if asked.epochs else f"{asked.steps:,}"


def collapsed(facts: dict) -> str:
    """Return at which step a run's generator collapsed, or that it did not."""
    return f"at step {facts['steps']:,}" if facts["collapsed"] else "no"


def sentence(facts: dict) -> str:
    """Return what a run was made of, and whether it collapsed."""
    recipe = facts["recipe"]
    more = [f"learns from {', '.join(facts['parents'])}"]
    if recipe["augment"]:
        more.append(f"the critic sees everything changed at random ({', '.join(recipe['augment'])})")
    if recipe["average"]:
        more.append(f"samples by the generator's moving average ({recipe['average']})")
    if facts["collapsed"]:
        more.append(f"it collapsed {collapsed(facts)}: its samples had become all alike, and training ended there")
    return (
        f"{recipe['size']} px, batch {recipe['batch']} of {facts['images']} images, seed {facts['seed']}; "
        f"{'; '.join(more)}."
    )


def curves(rows: pd.DataFrame) -> Figure:
    """Draw a run's losses, the estimated distance with the penalty, and the critic's accuracies."""
    drawing, (losses, estimates, accuracies) = plt.subplots(
        3, 1, figsize=(6, 6.6), sharex=True, constrained_layout=True
    )
    for axes, columns in (
        (losses, ["critic_loss", "generator_loss"]),
        (estimates, ["wasserstein", "penalty"]),
        (accuracies, ["accuracy_real", "accuracy_fake", "accuracy"]),
    ):
        for column in columns:
            if column in rows:
                axes.plot(rows["step"], rows[column], label=column.replace("_", " "))
        axes.legend(frameon=False, fontsize=8, ncols=3)
    accuracies.set(ylim=(-0.03, 1.03), xlabel="steps of the critic")
    return drawing


def overview(found: dict[str, Done]) -> np.ndarray:
    """Return a picture with one row for each experiment: its name and its first samples."""
    rows = []
    for name, one in found.items():
        label = np.full((TILE, 190, 3), 255, np.uint8)
        cv2.putText(label, name, (4, TILE // 2 + 5), cv2.FONT_HERSHEY_SIMPLEX, 0.48, (30, 30, 30), 1, cv2.LINE_AA)
        size = one.grid.shape[1] // 10
        samples = cv2.resize(one.grid[:size, : SHOWN * size], (SHOWN * TILE, TILE), interpolation=cv2.INTER_AREA)
        rows.append(np.concatenate([label, samples], 1))
    return np.concatenate(rows) if rows else np.full((TILE, 190, 3), 255, np.uint8)


if __name__ == "__main__":
    command.run(main, __doc__)

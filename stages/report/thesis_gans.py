"""The thesis's experiments with GANs, 4.2 to 4.5, beside ours."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from stages import page, paths
from stages.dataset import photo
from stages.gan import compare as gans
from stages.judge import early_samples
from stages.judge.colours import COLOURS, PAINT, THESIS
from stages.report.quoted import hours, metrics, percent, quoted, trained
from stages.settings import Settings

GROUP = ("dcgan_group", "wgan_group")  # 4.2 and 4.3
WIDTH = 620  # pixels of a picture
DISTINCT = 13  # of 100 samples of the thesis's DCGAN, of which 3 were copies
CERTAINTY = 0.944  # of its detector on its best fakes, 12 pictures


def group(params: Settings, found: dict[str, gans.Done]) -> list[str]:
    """Chapters 4.2 and 4.3, figures 4.3 to 4.7: a DCGAN and a WGAN-GP on a whole group."""
    there = [name for name in GROUP if name in found]
    if not there:
        return quoted("4.2 and 4.3", "DCGAN and WGAN-GP on a whole group", [], "")
    judged = metrics("verdicts")
    rows: list[list[object]] = [
        ["thesis, DCGAN", f"{DISTINCT} of 100", "about every 5,000 steps of the generator", "yes (figure 4.5)"],
        ["thesis, WGAN-GP", "not counted", "none", "no"],
    ]
    for name in there:
        distinct = f"{judged[f'{name}_distinct_last']:.0f} of {judged[f'{name}_last']:.0f}" \
            if f"{name}_distinct_last" in judged else "not judged"  # fmt: skip
        rows.append([f"here, {name}", distinct, swing(found[name]), gans.collapsed(found[name].facts)])
    return quoted(
        "4.2 and 4.3, figures 4.3 to 4.7", "DCGAN and WGAN-GP on a whole group",
        [
            page.table(["", "distinct samples at the end", "oscillations", "collapse"], rows),
            "<p class=soft>Oscillations here: how far the same noise's sample changes from one look to the next in the "
            "second half of training, in grey levels; and how far the losses swing (standard deviation).</p>",
            "<div class='figures'>",
            page.figure(losses({name: found[name].curves for name in there}), "Losses of the DCGAN and the WGAN-GP"),
            *(page.picture(photo.fit(found[name].film, WIDTH), f"{name}: six samples of the same noise, from the start "
                           "of training (left) to its end (figures 4.3, 4.4 and 4.6)") for name in there),
            *(page.picture(photo.fit(found[name].grid, WIDTH), f"{name}: 100 samples at the end of training "
                           "(figures 4.5 and 4.7)") for name in there),
            "</div>",
        ],
        f"The thesis trains for 200,000 steps with batches of 64; ours took {steps(found, there)} with batches of "
        f"{params.now.gan.most_batch} at most. A DCGAN's collapse and oscillations come with long training; where ours "
        "has none, that says little about a longer one. Distinct are samples that are farther from each other than "
        "changed copies of a photograph are from it.",
    )  # fmt: skip


def steps(found: dict[str, gans.Done], names: list[str]) -> str:
    return " and ".join(f"{of:,}" for of in dict.fromkeys(found[name].facts["steps"] for name in names))


def swing(one: gans.Done) -> str:
    """Return how restless a run's second half is: of its samples, and of its losses."""
    late = one.curves[one.curves["step"] > one.curves["step"].max() / 2]
    spread = ", ".join(f"{word} {late[name].std():.2f}" for word, name in
                       (("critic", "critic_loss"), ("generator", "generator_loss")) if name in late)  # fmt: skip
    return f"samples {restless(one):.1f}; losses: {spread}"


def looks(one: gans.Done) -> list[np.ndarray]:
    """Return a run's film as its looks, in order: a column of samples each."""
    side = one.grid.shape[1] // 10
    return [one.film[:, k : k + side] for k in range(0, one.film.shape[1], side)]


def restless(one: gans.Done) -> float:
    """Return how far samples of the same noise change, in grey levels, between looks of the second half of a run."""
    of = looks(one)
    late = np.stack(of[len(of) // 2 :]).astype(float)
    return float(np.abs(np.diff(late, axis=0)).mean()) if len(late) > 1 else 0.0


def losses(curves: dict[str, pd.DataFrame]) -> Figure:
    drawing, axes = plt.subplots(len(curves), 1, figsize=(6, 2.1 * len(curves)), constrained_layout=True, squeeze=False)
    for axis, (name, rows) in zip(axes[:, 0], curves.items(), strict=True):
        for column in ("critic_loss", "generator_loss"):
            if column in rows:
                axis.plot(rows["step"], rows[column], label=column.replace("_", " "))
        axis.set_title(name, fontsize=9, loc="left")
        axis.legend(frameon=False, fontsize=8)
    axes[-1, 0].set_xlabel("steps of the critic")
    return drawing


def experiments(params: Settings, found: dict[str, gans.Done]) -> list[str]:
    """Chapters 4.2 to 4.4.4: data, steps and hours of each experiment."""
    rows = []
    for name, (section, images, theirs) in gans.THESIS.items():
        if name not in params.experiments:
            continue
        done, asked = found.get(name), params.experiments[name]
        took = trained(name, done.facts["recipe"]["batch"]) if done else None
        ours = [done.facts["images"], f"{done.facts['steps']:,}"] if done else ["", "not run"]
        rows.append([name, section, images, ours[0], f"{asked.steps:,}", ours[1], theirs,
                     hours(took) if took else "not measured here"])  # fmt: skip
    head = ["", "chapter", "images there", "here", "steps there", "here", "hours there (GTX 1080 Ti)", "here"]
    return quoted(
        "4.2 to 4.4.4", "Data, steps and hours", [page.table(head, rows)],
        "Our generators train on the split's training images only (the thesis splits for its detector alone). A scale "
        "allows fewer steps and smaller pictures. Hours here are of this machine, where other work may have gone on.",
    )  # fmt: skip


def early(found: dict[str, gans.Done]) -> list[str]:
    """Chapter 4.4.1, figures 4.10 and 4.11: whether a GAN that goes on from another is faster."""
    path = paths.PLOTS / "early" / "verdicts.csv"
    rows = pd.read_csv(path) if path.exists() else pd.DataFrame()
    title = "Is a GAN that goes on from another trained faster?"
    if rows.empty:
        return quoted("4.4.1, figures 4.10 and 4.11", title, [], "")
    at = sorted(set(rows["step"]))
    shares = {name: of.set_index("step") for name, of in rows.groupby("experiment", sort=False)}
    table = [
        [str(name), early_samples.COMPARED[str(name)], step, *(percent(of.loc[step, colour]) for colour in COLOURS),
         round(float(of.loc[step, "objects"]), 2), percent(float(of.loc[step, "certainty"]))]
        for step in at for name, of in shares.items()
    ]  # fmt: skip
    pictures = [
        page.picture(strip(str(name), found[str(name)], at), f"{name}: the same noise at the same early steps")
        for name in shares if str(name) in found
    ]  # fmt: skip
    head = ["experiment", "learns", "steps", *COLOURS, "objects a sample", "certainty"]
    return quoted(
        "4.4.1, figures 4.10 and 4.11", title,
        [
            "<p>The thesis compares samples by eye at equal steps (10 to 510 of the generator) and finds the training "
            "seemingly faster. Here the judge looks at 100 samples of the same noise at the first steps that all have; "
            "objects and certainty are what its detector sees.</p>",
            page.table(head, table), "<div class='figures'>", *pictures, "</div>",
        ],
        "The thesis's second product is another one, so its two rows of samples show different things; the row of "
        "wgan_pretrained_ten, which learns the same ten images as wgan_ten, is the fairer comparison.",
    )  # fmt: skip


def strip(name: str, one: gans.Done, at: list[int]) -> np.ndarray:
    """Return what a run drew at some of its looks."""
    steps = sorted(early_samples.by_step(paths.GANS / name / "grids"))
    return photo.fit(
        np.concatenate([look for step, look in zip(steps, looks(one), strict=True) if step in at], 1), WIDTH
    )


def verdicts(params: Settings) -> list[str]:
    """Chapter 4.4.5, table 4.1: what became of the samples."""
    judged = metrics("verdicts")
    rows: list[list[object]] = []
    shown: dict[str, tuple[float, ...]] = {}
    for name, theirs in THESIS.items():
        if name not in params.experiments:
            continue
        rows.append([f"{name}, thesis", *(f"{value:g} %" for value in theirs), "", ""])
        shown[f"{name}, thesis"] = theirs
        if f"{name}_green" not in judged:
            rows.append([f"{name}, here", "not judged", *[""] * 5])
            continue
        ours = tuple(100 * judged[f"{name}_{colour}"] for colour in COLOURS)
        shown[f"{name}, here"] = ours
        rows.append([f"{name}, here", *(f"{value:.1f} %" for value in ours), f"{judged[f'{name}_distinct']:.0f}",
                     "" if f"{name}_c_t" not in judged else f"{judged[f'{name}_c_t']:.1f}"])  # fmt: skip
    return quoted(
        "4.4.5, table 4.1; 5.1", "What became of the samples",
        [
            page.table(["", *COLOURS, "distinct", "C_T"], rows),
            page.figure(bars(shown), "Shares of the verdicts, the thesis's and ours"),
            "<p>The best samples (figures 4.9, 4.13, 4.15 and 4.17) are in <a href='judge.html'>the judge's "
            "report</a>, each beside the photograph that it is nearest to.</p>",
        ],
        "Theirs are one person's word on 256 px; ours are the judge's, whose accuracy is measured on the page it has. "
        "Shorter training leaves more partial objects (white), and has learnt fewer photographs by heart (red). C_T "
        "below 0: samples lie nearer to training images than new photographs do.",
    )  # fmt: skip


def bars(shown: dict[str, tuple[float, ...]]) -> Figure:
    drawing, axes = plt.subplots(figsize=(8, 0.34 * len(shown) + 0.9), constrained_layout=True)
    for k, (name, values) in enumerate(shown.items()):
        left = 0.0
        for colour, value in zip(COLOURS, values, strict=True):
            hatch = "///" if name.endswith("thesis") else ""
            axes.barh(k, value, 0.8, left=left, color=PAINT[colour], edgecolor="#555555", hatch=hatch, lw=0.4)
            left += value
    axes.set(yticks=range(len(shown)), yticklabels=list(shown), xlim=(0, 100), xlabel="percent of the samples")
    axes.invert_yaxis()
    axes.grid(visible=False)
    return drawing


def detected(params: Settings) -> list[str]:
    """Chapter 4.5, figures 4.18 to 4.20: fakes through the detector."""
    seen = metrics("detect_fakes")
    if not seen:
        return quoted("4.5, figures 4.18 to 4.20", "Fakes through the detector", [], "")
    rows: list[list[object]] = [["thesis: its twelve best", 12, "all but one, by eye", percent(CERTAINTY)]]
    for name in params.experiments:
        for kind, word in (("", "all"), ("_green", "green")):
            if pictures := seen.get(f"{name}{kind}_pictures"):
                rows.append([f"{name}, {word}", int(pictures), f"{seen[f'{name}{kind}_found']:,.0f}",
                             percent(seen.get(f"{name}{kind}_certainty")) or "none found"])  # fmt: skip
    real = metrics("detector_test").get("certainty")
    return quoted(
        "4.5, figures 4.18 to 4.20", "Fakes through the detector",
        [page.table(["", "samples", "objects found", "mean certainty"], rows)],
        "The thesis shows its detector twelve samples that a person chose; ours sees every candidate, and the green "
        f"ones apart. Its detector is surer of real photographs, too (97.66 and 95.64 %; here {percent(real)}). Nobody "
        "has counted the objects of ours.",
    )  # fmt: skip

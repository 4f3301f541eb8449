"""The studies of the thesis's other sources beside ours: a GAN by the number of images, losses and penalties, networks
that fill holes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from stages import files, page, paths
from stages.gan import compare as gans
from stages.report.quoted import hours, metrics, quoted, trained

# What the study of indoor scenes reports: images, epochs, hours on a GTX 1080 Ti.
SIZES = {
    "size_1": (1, 10_000, 1.75),
    "size_3": (3, 50_000, 7.49),
    "size_10": (10, 50_000, 11.02),
    "size_100": (100, 50_000, 16.7),
    "size_all": (157, 50_000, 17.3),
    "size_all_groups_ten": (670, 50_000, 50.43),
}
LOSSES = paths.REPORTS / "benchmarks" / "losses_and_penalties.json"
COMBINED = ("gan", "hinge_v1", "hinge_v2", "lsgan", "wgan"), ("none", "dragan", "wgan_gp")
# Parameters of the networks that fill holes, in their source.
PARAMETERS = {"inpaint_ae": "2,942,019", "inpaint_ae_skip": "7,053,123", "inpaint_gan": "10,200,228"}
SCORES = ("dice", "jaccard", "cosine", "ssim", "psnr")


def sizes(found: dict[str, gans.Done]) -> list[str]:
    """The study of how a DCGAN depends on the number of images."""
    title = "A DCGAN of one image, of three, ten, a hundred and all"
    there = [name for name in SIZES if name in found]
    if not there:
        return quoted("The size study", title, [], "")
    judged, rows, figures = metrics("verdicts"), [], []
    for name in there:
        facts, curves = found[name].facts, found[name].curves
        images, epochs, theirs = SIZES[name]
        late = curves[curves["step"] > 0.75 * curves["step"].max()]
        distinct = judged[f"{name}_distinct_last"] / judged[f"{name}_last"] if f"{name}_last" in judged else None
        right = {kind: float(np.mean(late[f"accuracy{kind}"])) for kind in ("_real", "_fake", "")}
        took = trained(name, facts["recipe"]["batch"])
        shown = {"images": facts["images"], "distinct": distinct, "c_t": judged.get(f"{name}_c_t"), **right}
        figures.append(shown)
        rows.append([
            name, images, facts["images"], f"{epochs:,}", f"{epochs_of(facts):,.0f}", facts["steps"],
            gans.collapsed(facts), "" if distinct is None else round(100 * distinct, 1),
            "" if shown["c_t"] is None else round(shown["c_t"], 1), *(round(value, 3) for value in right.values()),
            theirs, hours(took) if took else "not measured here",
        ])  # fmt: skip
    head = ["", "images there", "here", "epochs there", "here", "steps", "collapse", "distinct, %", "C_T",
            "right on real", "on fake", "on both", "hours there", "here"]  # fmt: skip
    return quoted(
        "The size study", title,
        [
            "<p>It finds: one image is learnt by heart at once; three are, with mixtures; of ten and more the samples "
            "become more abstract than real.</p>",
            page.table(head, rows),
            page.figure(by_size(pd.DataFrame(figures)), "All sizes: distinct samples of the last 100; C_T, where below "
                        "0 is nearer to the training images than new photographs are; how often the discriminator was "
                        "right in the last quarter of training"),
        ],
        "Theirs are 67 kinds of indoor scenes, ours photographs of bins. As there, all but the smallest learn for "
        "equal epochs; a scale allows fewer. An epoch of fewer images than a batch is one step of them all.",
    )  # fmt: skip


def epochs_of(facts: dict) -> float:
    """Return how often a run has seen each of its images."""
    return facts["steps"] * facts["recipe"]["batch"] / facts["images"]


def by_size(rows: pd.DataFrame) -> Figure:
    """Draw, over the number of images, how many samples are distinct, C_T, and the discriminator's accuracy."""
    drawing, panels = plt.subplots(1, 3, figsize=(10, 2.8), constrained_layout=True)
    at, labels = range(len(rows)), [str(images) for images in rows["images"]]
    for axis, columns, title in zip(
        panels,
        ({"distinct": "distinct"}, {"c_t": "C_T"}, {"_real": "real", "_fake": "fake", "": "both"}),
        ("share of distinct samples", "C_T", "right as a discriminator"),
        strict=True,
    ):
        for column, label in columns.items():
            axis.plot(at, rows[column].astype(float), marker="o", label=label)
        axis.set(xticks=at, xticklabels=labels, title=title, xlabel="images")
        if len(columns) > 1:
            axis.legend(frameon=False, fontsize=8)
    for axis in (panels[0], panels[2]):
        axis.set_ylim(-0.03, 1.03)
    return drawing


def losses() -> list[str]:
    """All losses with all penalties: a benchmark's results."""
    title = "Losses and penalties"
    if not LOSSES.exists():
        return quoted("The thesis's code", title, [], "")
    of = files.read_json(LOSSES)["figures"]
    rows = [
        [loss, penalty.replace("_", "-"), *(of[f"{loss}_{penalty}_{name}"] for name in (
            "distinct", "copies", "distance", "accuracy_real", "accuracy_fake", "images_a_second")),
         f"at step {of[f'{loss}_{penalty}_taken']}" if of[f"{loss}_{penalty}_collapsed"] else "no"]
        for loss in COMBINED[0] for penalty in COMBINED[1] if f"{loss}_{penalty}_distinct" in of
    ]  # fmt: skip
    head = ["loss", "penalty", f"distinct of {of['samples']}", "copies", "distance, median", "right on real", "on fake",
            "images a second", "collapse"]  # fmt: skip
    return quoted(
        "The thesis's code", title,
        [
            f"<p>The same {of['images']} images, {of['steps']} steps each, scale {page.text(of['scale'])} "
            "(<code>python -m benchmarks.losses_and_penalties</code>). Copies: samples no farther from a photograph "
            f"than its changed copies are ({of['copy_distance']:.3f}).</p>",
            page.table(head, rows),
        ],
        "The code that the thesis uses offers all fifteen, the thesis reports two: gan without a penalty, and wgan "
        "with wgan-gp. So few steps rank nothing for good; one seed each.",
    )  # fmt: skip


def inpainting() -> list[str]:
    """Networks that fill holes, beside what fills them without having learnt."""
    title = "Networks that fill holes"
    of = metrics("inpaint")
    names = list(dict.fromkeys(key.removesuffix("_psnr") for key in of if key.endswith("_psnr")))
    if not names:
        return quoted("Inpainting", title, [], "")
    rows = [
        [name, PARAMETERS.get(name, ""), *(of.get(f"{name}_{figure}", "") for figure in (*SCORES, "steps"))]
        for name in names
    ]  # fmt: skip
    return quoted(
        "Inpainting", title,
        [page.table(["", "parameters there", *SCORES, "steps here"], rows)],
        "The source draws its figures without printing numbers, learns from 10,000 faces and trains on SSIM, which it "
        "finds better than MAE and PSNR; early stopping ends at 140 epochs. Ours are measured inside holes of an "
        "object's shape, in photographs that no network has seen.",
    )  # fmt: skip

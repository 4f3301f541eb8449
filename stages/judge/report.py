"""All verdicts side by side: reports/judge.html, and the metrics verdicts.json and judge.json.

It shows what params.yaml names; an experiment that has not been judged is listed as such.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from stages import command, drawing, files, page, paths, settings, tables
from stages.dataset import photo
from stages.detector import predict
from stages.judge import candidate_pictures, reference, set_metrics
from stages.judge.colours import COLOURS, PAINT, THESIS
from stages.judge.grading import GRADES, VALUES
from stages.settings import Settings

REPORT = paths.REPORTS / "judge.html"
SHOWN = 8  # candidates of each colour in a gallery
COPIED = 5  # training images named as copied most


def main() -> None:
    params = settings.load()
    judged = {
        name: files.read_json(paths.VERDICTS / f"{name}.json")
        for name in params.judged
        if files.there(paths.VERDICTS / f"{name}.json")
    }
    tests = {p: files.read_json(paths.JUDGE_TESTS / p / "figures.json") for p in ("focus", "other") if _tested(p)}
    alike = {name: likeness(name, params) for name in judged}
    files.write_json(paths.METRICS / "verdicts.json", verdict_metrics(judged, alike))
    labelled = files.read_json(paths.JUDGE_TESTS / "labelled" / "figures.json")
    files.write_json(paths.METRICS / "judge.json", judge_metrics(tests) | labelled)
    files.write(REPORT, page.page("Tenfold: the judge", body(params, judged, alike, tests, labelled)))


def _tested(product: str) -> bool:
    return (paths.JUDGE_TESTS / product / "figures.json").exists()


def verdict_metrics(judged: dict[str, dict], alike: dict[str, list[set_metrics.Figure]]) -> dict[str, float]:
    found = {}
    for name, facts in judged.items():
        found |= {f"{name}_{colour}": facts["colours"][colour]["share"] for colour in COLOURS}
        found |= {f"{name}_{figure}": facts[figure] for figure in ("distinct", "last", "distinct_last")}
        found |= {f"{name}_c_t": round(of.value, 4) for of in alike[name] if of.name == "c_t" and of.value is not None}
    return found


def judge_metrics(tests: dict[str, dict]) -> dict[str, float]:
    """Return all products' figures as metrics: the focus product's under their own names, the other's with its name in
    front."""
    return {
        name if product == "focus" else f"{product}_{name}": value
        for product, figures in tests.items()
        for name, value in figures.items()
    }


def body(
    params: Settings,
    judged: dict[str, dict],
    alike: dict[str, list[set_metrics.Figure]],
    tests: dict[str, dict],
    labelled: dict,
) -> str:
    """Return the page's content as HTML."""
    parts = [
        "<h1>The judge</h1>",
        "<p>Green: new and good. Yellow: new, but doubtful. White: mostly partial objects. Red: known already.</p>",
        page.table(
            ["experiment", *COLOURS, "distinct", "of", "training images", "a copy is nearer than", "thesis, by eye"],
            [_row(name, judged.get(name)) for name in params.judged],
        ),
        "<div class='figures'>",
        page.figure(bars(judged), "Verdicts of each experiment; the thesis's own, by eye, hatched below ours"),
        "</div>",
    ]
    for product, figures in tests.items():
        parts += [*_test(product, figures), *_weights(product, params)]
    if labelled:
        parts += _labelled(labelled)
    for name, facts in judged.items():
        parts += _experiment(name, facts, alike[name], params)
    return "\n".join(parts)


def _row(name: str, facts: dict | None) -> list[object]:
    theirs = "/".join(f"{v:g}" for v in THESIS[name]) if name in THESIS else ""
    if facts is None:
        return [name, "not run", *[""] * 7, theirs]
    shares = [f"{100 * of['share']:.1f} % ({100 * of['interval'][0]:.0f}–{100 * of['interval'][1]:.0f})"
              for of in (facts["colours"][colour] for colour in COLOURS)]  # fmt: skip
    link = page.raw(f'<a href="#{name}">{name}</a>')
    return [
        link, *shares, facts["distinct"], facts["candidates"], facts["training_images"], facts["copy_distance"], theirs,
    ]  # fmt: skip


def bars(judged: dict[str, dict]) -> Figure:
    """Draw each experiment's shares of the four colours, ours above the thesis's."""
    drawing, axes = plt.subplots(figsize=(8, 0.5 * len(judged) + 1.2), constrained_layout=True)
    for k, (name, facts) in enumerate(judged.items()):
        ours = [100 * facts["colours"][colour]["share"] for colour in COLOURS]
        for values, at, hatch in ((ours, k - 0.18, ""), (THESIS.get(name), k + 0.2, "///")):
            left = 0.0
            for colour, value in zip(COLOURS, values or (), strict=bool(values)):
                axes.barh(at, value, 0.34, left=left, color=PAINT[colour], edgecolor="#555555", hatch=hatch, lw=0.4)
                left += value
    axes.set(yticks=range(len(judged)), yticklabels=list(judged), xlabel="percent of the candidates", xlim=(0, 100))
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    return drawing


def of_itself(figures: dict) -> list[str]:
    """Return a warning where a judge was tested on what it has learnt from."""
    why = "<p>There is no other product: these are made of the photographs that it has learnt from, so it is less " \
          "sure than they say.</p>"  # fmt: skip
    return [why] if figures.get("planted_of_itself") else []


def _test(product: str, figures: dict) -> list[str]:
    folder = paths.JUDGE_TESTS / product
    accepted = f"{figures['planted_copies_accepted']} of {figures['planted_copies']}"
    tiles = {"of planted candidates judged rightly": f"{100 * figures['planted_accuracy']:.1f} %",
             "planted copies accepted": accepted}  # fmt: skip
    if "one_change_called_copy" in figures:
        tiles["one-object changes called copies"] = f"{100 * figures['one_change_called_copy']:.1f} %"
    if "real_called_green" in figures:
        tiles["of real images it never saw called green"] = f"{100 * figures['real_called_green']:.1f} %"
    return [
        f"<h2 id='test_{product}'>Its own test: the judge of {product}</h2>",
        page.tiles(tiles),
        *of_itself(figures),
        _matrix(folder, "planted"),
        page.picture(photo.read(folder / "misjudged.jpg"), f"{product}: planted candidates that it judges wrongly"),
    ]


def _weights(product: str, params: Settings) -> list[str]:
    """Return the weights of the evidence by which a product's judge tells whole objects from others."""
    grader = files.read_json(paths.JUDGE / product / "limits.json")[str(params.now.judge.size)]["grader"]
    named = zip([*VALUES.values(), "whatever is seen"], grader["weights"], strict=True)
    return [
        "<p>What its verdict on what is new weighs, in a multinomial logistic regression: by how much the logarithm of "
        "a colour's odds grows when a value of evidence grows by one standard deviation of the pictures that it is "
        "fitted on.</p>",
        page.table(["evidence", *GRADES], [[name, *(f"{weight:+.2f}" for weight in row)] for name, row in named]),
    ]


def _labelled(figures: dict) -> list[str]:
    """Return the page's section on samples that a person has labelled: how far the judge says the same."""
    folder = paths.JUDGE_TESTS / "labelled"
    low, high = figures["labelled_accuracy_low"], figures["labelled_accuracy_high"]
    accepted = f"{figures['labelled_copies_accepted']} of {figures['labelled_copies']}"
    return [
        "<h2 id='labelled'>Beside a person, who saw no verdict: as many of each colour of an earlier judge</h2>",
        page.tiles({
            f"of {figures['labelled']} judged alike": f"{100 * figures['labelled_accuracy']:.1f} %",
            "95 % interval": f"{100 * low:.0f}–{100 * high:.0f} %",
            "copies accepted": accepted,
        }),
        _matrix(folder, "labelled"),
        page.picture(photo.read(folder / "misjudged.jpg"), "samples that it judges otherwise: the label > its verdict"),
    ]  # fmt: skip


def _matrix(folder: Path, rows: str) -> str:
    """Return a test's confusion matrix as a table of HTML."""
    table = pd.read_csv(folder / "confusion.csv").to_numpy().tolist()
    return page.table([rows, *(f"called {colour}" for colour in COLOURS)], table)


def _experiment(name: str, facts: dict, alike: list[set_metrics.Figure], params: Settings) -> list[str]:
    table = tables.read(paths.VERDICTS / f"{name}.csv")
    copied = ", ".join(f"{image} {times}×" for image, times in list(facts["copied"].items())[:COPIED])
    rows = [[f.name, "none" if f.value is None else round(f.value, 4), f.means] for f in alike]
    parts = [f"<h2 id='{name}'>{name}</h2>"]
    if copied:
        parts.append(f"<p>Most copied of {len(facts['copied'])} copied training images: {page.text(copied)}.</p>")
    if said := facts["reviews"]["candidates"]:
        kappa = facts["reviews"]["kappa"]
        agreed = f"people spoke on {said}, the judge agreed on {facts['reviews']['agreed']}"
        parts.append(f"<p>{agreed}; Cohen's kappa {'not defined' if kappa is None else kappa}.</p>")
    parts += [page.table(["on features of the judge's detector", "", "what it means"], rows), "<div class='figures'>"]
    for colour in COLOURS:
        mine = table.loc[table["verdict"] == colour]
        if len(mine):
            alt = f"{name}, {colour}: candidates on the left, each beside the training image it is nearest to"
            parts.append(page.picture(gallery(name, mine), alt))
    return [*parts, "</div>"]


def likeness(name: str, params: Settings) -> list[set_metrics.Figure]:
    """Return what the experiment's candidates are like as a set, beside real images that its generator has not seen."""
    product, size, imgsz = params.judged[name].product, params.now.judge.size, params.now.judge.imgsz
    manifest = candidate_pictures.listed(paths.CANDIDATES / name)
    drawn = candidate_pictures.drawn(name, params)
    made = candidate_pictures.load(paths.CANDIDATES / name, manifest, size)
    real = reference.read(reference.parents(manifest), size, drawn)
    held = set_metrics.held_out(params, product, drawn)
    weights = paths.trained(product, "judge")
    fake, known = (predict.features(weights, pixels, imgsz) for pixels in (made, real.pixels))
    unseen = predict.features(weights, held.pixels, imgsz) if held else np.empty((0, known.shape[1]))
    return set_metrics.figures(fake, known, unseen)


def gallery(name: str, table: pd.DataFrame) -> np.ndarray:
    """Return a picture of candidates spread over a colour's, each with its nearest training image and the distance."""
    chosen = table.iloc[np.linspace(0, len(table) - 1, min(SHOWN, len(table))).astype(int)]
    manifest = candidate_pictures.listed(paths.CANDIDATES / name)
    parents = reference.parents(manifest)
    tiles = []
    for row in chosen.to_dict("records"):
        drawn = photo.read(paths.CANDIDATES / name / f"{row['id']}.png")
        known = next(p for parent in parents if (p := parent / "images" / row["nearest"]).exists())
        pair = np.concatenate([drawn, photo.squashed(photo.shown(known), len(drawn))], 1)
        tiles.append(drawing.named(pair, f"{row['distance']:.3f} of {row['threshold']:.3f}"))
    return drawing.sheet(tiles, 2)


if __name__ == "__main__":
    command.run(main, __doc__)

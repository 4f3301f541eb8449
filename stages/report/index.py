"""The report, reports/index.html: one page that opens from disk, the answer first.

It shows what there is; what has not been run is said to be missing.
"""

from __future__ import annotations

import platform

import pandas as pd

from stages import command, files, page, paths, provenance, settings
from stages.dataset import photo
from stages.evidence import first_look
from stages.judge.colours import COLOURS
from stages.judge.report import of_itself
from stages.report import answer, experiments, generated_parts, study
from stages.report.quoted import metrics
from stages.settings import Settings

REPORT = paths.REPORTS / "index.html"
PACKAGES = (
    "torch", "torchvision", "ultralytics-opencv-headless", "albumentations", "faster-coco-eval", "dvc", "prefect",
)  # fmt: skip
MEASURED = ("images", "labelled", "precision_50", "recall_50", "precision_75", "recall_75")  # of labels


def main() -> None:
    params = settings.load()
    files.write_json(paths.METRICS / "labels.json", label_metrics(measured_labels()))
    files.write(REPORT, page.page("Tenfold: does it help?", "\n".join(body(params))))


def body(params: Settings) -> list[str]:
    """The page's content."""
    return [
        "<h1>Ten photographs, and what they can be made to do</h1>",
        *evidence(params), *by_folds(), *labels(), *judge(), *dataset(), *detector(),
        *generated_parts.section(params),
        "<h2 id='experiments'>The experiments</h2>",
        "<p>The thesis's, chapter by chapter: <a href='thesis.html'>beside the thesis</a>.</p>",
        *(line for name in params.all_experiments for line in experiments.section(name, params)),
        *made_with(params),
    ]  # fmt: skip


def evidence(params: Settings) -> list[str]:
    """Return what the study says, which is the strongest, then the arms of `dvc repro`, or else of a first look."""
    parts, stage = study.section(params), paths.EVIDENCE / "results.json"
    if stage.exists():
        how = params.now.evidence
        title = f"{how.steps} steps of {how.batch} images at {how.imgsz} px, {how.seeds} seeds"
        parts += compared(files.read_json(stage), title, params)
    elif first_look.RESULT.exists():
        found = files.read_json(first_look.RESULT)
        how = found.pop("conditions")
        title = f"A first look: {how['steps']} steps of {how['batch']} images at {how['imgsz']} px, one seed"
        parts += compared(found, f"{title}, scale {how['scale']}", params)
    return parts or ["<p>No arms have been compared on test images: there is no answer from them.</p>"]


def compared(of_products: dict[str, dict], title: str, params: Settings) -> list[str]:
    parts = []
    for product, results in of_products.items():
        arms = {name: arm for name, arm in params.arms.items() if arm.product == product}
        said = answer.sentences(results, arms, params)
        timing = {p.stem: files.read_json(p)["seconds"] for p in (paths.TIMING / "arms").glob("*.json")}
        parts += [
            f"<h2>{page.text(results['group'])}: {page.text(said[0].partition(':')[0])}</h2>",
            *(f"<p>{page.text(line)}</p>" for line in said),
            f"<p class=soft>{page.text(title)}. Every arm takes the same number of steps; tested on "
            f"{results['test_images']} real images with {results['test_objects']} objects, which nothing that made, "
            "judged or labelled a fake has seen. Intervals: bootstrap over test images and seeds, paired. "
            f"{page.text(params.evidence.primary)} was named before; p values of the others are Holm-corrected.</p>",
            "<div class='figures'>",
            page.figure(answer.arms(results), f"{results['group']}: mAP50-95 of each arm with its 95 % interval; "
                        "ticks: its seeds; dashed: standard augmentation alone; dotted: all real images"),
            page.figure(answer.errors(results), f"{results['group']}: errors of each arm by kind, as TIDE names them"),
        ]  # fmt: skip
        parts += ["</div>", answer.table(results, arms, timing)]
        if (gallery := paths.PLOTS / "evidence" / "gallery.jpg").exists() and "two_sample" in results:
            parts += ["<h3>The same photographs under two arms</h3>", page.picture(
                photo.fit(photo.read(gallery), 1200), "Test photographs as the detectors without (left) and with fakes "
                "(right) see them, the worst first. White: what is there. Blue: found. Orange: a wrong class or place.",
            )]  # fmt: skip
        if len(results["arms"][results["roles"]["baseline"]]["seeds"]) > 1:  # one seed decides nothing
            parts.append(decisions(results["gate"]))
        if distances := results.get("two_sample"):
            parts.append("<h3>How far fakes are from real images</h3>")
            parts.append("<p>AUC of a classifier that tells them apart on the judge's features: 0.5 cannot, 1 always "
                         "can.</p>")  # fmt: skip
            parts.append(page.table(["arm", "AUC"], [[name, value] for name, value in distances.items()]))
    return parts


def decisions(decided: dict) -> str:
    return page.table(["decision", "", "why"], [
        [key.replace("_", " "), "yes" if decided[key] else "no", decided[f"{key}_why"]]
        for key in ("include_fakes", "promote_product")
    ])  # fmt: skip


def by_folds() -> list[str]:
    """A product without test images of its own."""
    path = paths.GATE / "folds.json"
    found = files.read_json(path) if path.exists() else {}
    if "arms" not in found:
        return []
    rows = [
        [name, of["map50_95"], page.unbroken(f"{of['low']:.3f} to {of['high']:.3f}"),
         *(page.unbroken(answer.spread(gain)) if (gain := of["against"].get(other)) else ""
           for other in found["arms"])]
        for name, of in found["arms"].items()
    ]  # fmt: skip
    return [
        f"<h2>{page.text(found['group'])}: {found['images']} photographs and no others</h2>",
        f"<p>There are no test images, so each of {found['folds']} folds was looked at by detectors that learnt from "
        "the other images alone, and from fakes made of these. The intervals are wide, because the images are few.</p>",
        page.table(["arm", "mAP50-95", "95 % interval", *(f"against {other}" for other in found["arms"])], rows),
        decisions(found["gate"]),
    ]  # fmt: skip


def measured_labels() -> dict[str, dict[str, dict]]:
    """Product → pictures whose truth is known → figures."""
    found = {p.stem: files.read_json(p) for p in sorted(paths.LABELS.glob("*.json")) if files.there(p)}
    for path in sorted(paths.LABELLED.glob("*/labelled.json")):
        if withheld := files.read_json(path)["withheld"]:
            found.setdefault(path.parent.name, {})["photographs"] = withheld
    return found


def label_metrics(found: dict[str, dict[str, dict]]) -> dict[str, float]:
    """The focus product's on real images under their own names, the others with theirs in front."""
    figures = {}
    for product, kinds in found.items():
        for kind, of in kinds.items():
            prefix = ("" if product == "focus" else f"{product}_") if kind == "worn real images" else f"{kind}_"
            figures |= {f"{prefix}{name}": of[name] for name in MEASURED}
    return figures


def labels() -> list[str]:
    """Return how right the labels of accepted candidates are."""
    rows = [
        [f"{product}: {kind}", *(of[name] for name in MEASURED)]
        for product, kinds in measured_labels().items()
        for kind, of in kinds.items()
    ]
    if not rows:
        return []
    head = ["", "pictures", "labelled", "precision at 0.5", "recall at 0.5", "precision at 0.75", "recall at 0.75"]
    return [
        "<h2>The labels</h2>",
        "<p>Objects that a generator placed have exact labels. Others get labels only if two detectors agree on every "
        "object in the picture. How right these are where the truth is known:</p>",
        page.table(head, rows),
    ]


def judge() -> list[str]:
    parts = ["<h2>The judge</h2>"]
    for product in ("focus", "other"):
        path = paths.JUDGE_TESTS / product / "confusion.csv"
        if path.exists():
            figures = files.read_json(path.with_name("figures.json"))
            right = figures["planted_accuracy"]
            parts += [
                f"<h3>On planted candidates: the judge of {product}, {100 * right:.1f} % right</h3>",
                *of_itself(figures),
                page.table(["planted", *(f"called {c}" for c in COLOURS)], pd.read_csv(path).to_numpy().tolist()),
            ]
    path = paths.JUDGE_TESTS / "labelled" / "confusion.csv"
    if path.exists():
        right = files.read_json(path.with_name("figures.json"))["labelled_accuracy"]
        parts += [
            f"<h3>On samples that a person labelled: {100 * right:.1f} % alike</h3>",
            page.table(["by eye", *(f"called {c}" for c in COLOURS)], pd.read_csv(path).to_numpy().tolist()),
        ]
    return parts if len(parts) > 1 else []


def dataset() -> list[str]:
    path = paths.REPORTS / "health.json"
    if not path.exists():
        return []
    health = files.read_json(path)
    findings = health["findings"]
    return [
        "<h2>The dataset</h2>",
        page.tiles({"images": health["images"], "objects": health["annotations"], "findings": len(findings),
                    "of them fixed": sum(bool(f["fixed"]) for f in findings)}),
        page.table(["group", "images", "objects"],
                   [[name, of["images"], of["objects"]] for name, of in health["groups"].items()]),
    ]  # fmt: skip


def detector() -> list[str]:
    test = metrics("detector_test")
    if not test:
        return []
    return [
        "<h2>The detector of all products</h2>",
        page.tiles({"found of present": f"{test['found']} of {test['present']}", "mAP50": test["map50"],
                    "mAP50-95": test["map50_95"], "certainty": f"{100 * test['certainty']:.1f} %"}),
        page.picture(photo.fit(photo.read(paths.PLOTS / "detector_test" / "contact_sheet.jpg"), 1200),
                     "Test photographs. White: what is there. Blue: found. Orange: a wrong class or place."),
    ]  # fmt: skip


def made_with(params: Settings) -> list[str]:
    facts = {
        "commit": provenance.commit(), "scale": params.scale, "seed": params.seed,
        "processor": f"{provenance.processor()}, {provenance.cores()} cores", "python": platform.python_version(),
        **provenance.versions(*PACKAGES),
    }  # fmt: skip
    return ["<h2>Made with</h2>", page.table(["", ""], [[key, str(value)] for key, value in facts.items()])]


if __name__ == "__main__":
    command.run(main, __doc__)

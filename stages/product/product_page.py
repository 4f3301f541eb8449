"""A product's page: what its detector finds, where it fails, how far that can be trusted, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from stages import files, page, paths
from stages.dataset import coco, photo
from stages.detector.marked_photo import marked
from stages.detector.scenes import DetectedScene
from stages.evidence import errors
from stages.evidence.arm_roles import OLD, from_scratch, may_ship
from stages.evidence.unseen_results import Unseen
from stages.product import card, operating
from stages.product.card import Calibration, Card, Threshold
from stages.report import answer
from stages.settings import NONE, Arm, Settings, Testing
from stages.wording import percent_within

SHOWN = 6  # photographs of a kind
WIDTH = 560  # of each
# Two beside each other on a telephone, three on a screen.
GRID = (
    "<div class='figures' style='grid-template-columns:repeat(auto-fill,minmax(max(10rem,30%),1fr));"
    "overflow-wrap:anywhere'>"
)
COLOURS = (
    "White: what is there. Blue: found, with the detector's confidence in percent. Orange: a wrong class or place."
)


def render(about: Card, seen: Unseen, tested: list[DetectedScene], params: Settings) -> str:
    """Return the whole page."""
    scenes = tested or seen.scenes
    parts = [
        f"<h1>{page.text(about.product)}: {page.text(card.verdict(about))}</h1>", tiles(about),
        *shown(about, scenes, params), *composed(about, params), *said(about, params),
        *next_steps(about), *trust(about, seen, tested), *facts(about),
    ]  # fmt: skip
    return page.page(f"{about.product}: its detector", "\n".join(parts))


def tiles(about: Card) -> str:
    """Return the figures to look at first."""
    found = about.figures
    if "recall" not in found:
        return "<p>There are no photographs to measure it on.</p>"
    rows: dict[str, object] = {
        f"of the objects found, from confidence {found['confidence']:g} on": card.percent(found["recall"]),
        "of the boxes right": card.percent(found["precision"]),
        "mAP50-95": found["map50_95"]["value"],
    }
    if point := about.thresholds["precision"]:
        rows |= {of_precision(point): f"{100 * (point.tested or point.chosen).recall.value:.0f} %"}
    rows |= {"photographs of it learnt from": len(about.trained_on["photographs"])}
    low, high = (100 * found["recall"][end] for end in ("low", "high"))
    return page.tiles(rows) + (
        f"<p class=soft>On {page.text(found['on'])}. Found: {found['found']} of {found['present']} objects, 95 % "
        f"interval {low:.0f} to {high:.0f} %.</p>"
    )


def of_precision(point: Threshold) -> str:
    """Return what a tile says of the threshold for precision: found and right are of the same photographs."""
    if point.tested is None:
        return "found where 19 of 20 boxes are right"
    right = f"{100 * point.tested.precision.value:.0f} %"
    return f"found at {right} precision on test photographs; the threshold was chosen for 95 %"


def next_steps(about: Card) -> list[str]:
    """Return what to do with the detector."""
    use = f"make detect PHOTOS=my_photographs PRODUCT={about.product}"
    code = (f'from ultralytics import YOLO\nYOLO("{paths.RELEASED / about.product / card.WEIGHTS}")'
            f'.predict("photo.jpg", imgsz={about.imgsz})')  # fmt: skip
    in_use = f'python -m flows.arrivals rollback {about.product} --why "more photographs"\n' if about.promoted else ""
    more = (f"make next PHOTOS=many_photographs PRODUCT={about.product}\n{in_use}"
            f"make product PHOTOS=all_photographs NAME={about.product}")  # fmt: skip
    return [
        "<h2>What to do next</h2>",
        "<p>Look at photographs of your own; copies with boxes, and all detections as COCO results, go to "
        "<code>reports/detections/</code>:</p>",
        code_block(use),
        f"<p>Or take the folder <code>{page.text(paths.RELEASED / about.product)}</code> away. With ultralytics:</p>",
        code_block(code),
        "<p>Without it: <code>detector.onnx</code>, for any ONNX runtime: see <code>docs/product.md</code>.</p>",
        "<p>More photographs make it better, those of what it fails at above first. Of a folder that nobody annotated, "
        "this chooses ten, and draws boxes into them to be corrected; then bring all, old and new, as one folder:</p>",
        code_block(more),
    ]


def code_block(text: str) -> str:
    """Return lines of code that scroll where they are wide."""
    return f"<pre class='scroll tile'>{page.text(text)}</pre>"


def shown(about: Card, scenes: Sequence[DetectedScene], params: Settings) -> list[str]:
    """Return photographs that are drawn by chance, and those with most errors."""
    if not scenes:
        return []
    testing = msgspec.structs.replace(params.testing, confidence=counting(about))
    wrong = [sum(errors.kinds([scene], testing.confidence, testing.iou).values()) for scene in scenes]
    chance = np.random.default_rng(params.seed).permutation(len(scenes))[:SHOWN]
    worst = [k for k in np.argsort(-np.array(wrong), kind="stable")[:SHOWN] if wrong[k]]
    every = coco.read(paths.ANNOTATIONS, masks=False)
    at = f"From confidence {testing.confidence:.2f} on. {COLOURS}"
    parts = [
        "<h2>What it finds</h2>", f"<p class=soft>Drawn by chance, of {page.text(about.figures['on'])}. {at}</p>",
        GRID, *(pictured(scenes[k], wrong[k], about, every, testing) for k in chance), "</div>",
        "<h2>Where it fails</h2>",
    ]  # fmt: skip
    if not worst:
        return [*parts, "<p>In none of these photographs.</p>"]
    kinds = errors.kinds(list(scenes), testing.confidence, testing.iou)
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)
    return [
        *parts, f"<p>Errors in all {len(scenes)} photographs: {page.text(counts)}. Those with most of them:</p>",
        GRID, *(pictured(scenes[k], wrong[k], about, every, testing) for k in worst), "</div>",
    ]  # fmt: skip


def counting(about: Card) -> float:
    """Return the confidence from which on `make detect` counts detections, if nothing else is asked for."""
    point = about.thresholds["precision"]
    return point.confidence if point else about.confidence


def pictured(scene: DetectedScene, wrong: int, about: Card, every: coco.Coco, testing: Testing) -> str:
    """Return one photograph with what is there and what was found."""
    image = next(image for image in every.images if image.id == scene.image)
    pixels = photo.load(paths.SOURCE_IMAGES / image.file_name, image.width, image.height)
    names = [of.name for of in about.classes]
    count = "no error" if not wrong else f"{wrong} error{'s' * (wrong > 1)}"
    name = image.file_name.removeprefix(f"{about.product}/")
    return page.picture(marked(pixels, WIDTH, scene, names, testing), f"{name}: {count}")


def composed(about: Card, params: Settings) -> list[str]:
    """Return pictures composed of the product's photographs, those that it has learnt from first."""
    mine = [name for name, of in params.compositions.items() if of.product == "focus"]
    used = [Path(folder) for folder in about.trained_on.get("composed", {})]
    folders = [*used, *(paths.ACCEPTED / name for name in mine)]
    folder = next((of for of in folders if any((of / "images").glob("*.png"))), None)
    if folder is None:
        return []
    learnt = (
        "It has learnt from these" if folder in used else "It has not learnt from these: they were not shown to help"
    )
    some = sorted((folder / "images").glob("*.png"))
    return [
        "<h2>Composed of your photographs</h2>",
        f"<p>{learnt}. Each was made of objects on your photographs, by <code>{page.text(folder.name)}</code>.</p>",
        GRID, *(page.picture(photo.fit(photo.read(path), WIDTH), path.name) for path in some[:SHOWN]), "</div>",
    ]  # fmt: skip


def said(about: Card, params: Settings) -> list[str]:
    """Return the answer: whether the fakes helped, and what the gate made of it."""
    tested = files.read_json(paths.EVIDENCE / "results.json").get("focus")
    arms = {name: arm for name, arm in params.arms.items() if arm.product == "focus"}
    lines = answer.sentences(tested, arms, params) if tested else []
    decided = "stays in use" if about.arm == OLD else "is put to use" if about.promoted else "is all there is"
    lines += [f"{about.arm} {decided}: {about.why}."]
    if not tested:
        lines += [f"Fakes: {files.read_json(paths.METRICS / 'gate.json').get('include_fakes_why', 'not tried')}."]
    return ["<h2>The answer</h2>", *(f"<p>{page.text(line)}</p>" for line in lines), *tried(tested, arms, params)]


def tried(tested: dict[str, Any] | None, arms: dict[str, Arm], params: Settings) -> list[str]:
    """Return what the names stand for that the answer speaks of, the best first."""
    found = (tested or files.read_json(paths.GATE / "folds.json")).get("arms", {})
    rows = [
        [name, learns_from(arm), found[name]["map50_95"],
         page.unbroken(f"{found[name]['low']:.3f} to {found[name]['high']:.3f}")]
        for name, arm in may_ship(arms, params).items() if name in found
    ]  # fmt: skip
    rows.sort(key=lambda row: -row[2])
    return [page.table(["tried", "learns from", "mAP50-95", "95 % interval"], rows)] if rows else []


def learns_from(arm: Arm) -> str:
    """Return in words what an arm's detector learns from."""
    parts = [
        "your photographs", *(["pictures made of them"] if arm.ratio else []),
        *(["photographs that detectors labelled"] if arm.labelled != NONE else []),
        *(["those of other products"] if arm.known != NONE else []),
    ]  # fmt: skip
    begun = "" if from_scratch(arm) else ", from the detector of other products on"
    return f"{' and '.join(parts) if len(parts) < 3 else ', '.join(parts)}{begun}"


def trust(about: Card, seen: Unseen, tested: Sequence[DetectedScene]) -> list[str]:
    """Return thresholds, and how far certainty is to be trusted."""
    head = ["asked for", "confidence", "right there", "found there", "right on test images", "found"]
    shown = len(head) if tested else len(head) - 2
    rows = [row(f"95 % {name}", about.thresholds[name])[:shown] for name in ("precision", "recall")]
    parts = [
        "<h2>From which confidence on?</h2>",
        f"<p>Chosen on {page.text(about.chosen_on)}. Where neither is to be had, detections count from "
        f"{about.confidence:g} on.</p>",
        page.table(head[:shown], rows),
    ]
    scenes = tested or seen.scenes
    if operating.reliability(scenes, len(about.classes), Calibration()):  # else it has detected nothing
        parts += [
            "<h2>Can its certainty be trusted?</h2>",
            "<p>Of detections that are 80 % certain, 80 of 100 should be right. What the detector says is off by "
            f"{100 * about.miscalibration['before']:.0f} points on average, and by "
            f"{100 * about.miscalibration['after']:.0f} once it is set right; <code>make detect</code> draws the "
            "latter. "
            f"On {page.text(about.miscalibration['on'])}"
            f"{'' if tested else '; it was set right by these very ones'}.</p>",
            page.figure(diagram(scenes, about), "Certainty and the share of detections that are right; dashed: as it "
                        "should be"),
        ]  # fmt: skip
    return parts


def row(asked: str, point: Threshold | None) -> list[object]:
    """Return what a threshold gives, as a row of the table."""
    if point is None:
        return [asked, "not to be had", "", "", "", ""]
    tested = [point.tested.precision, point.tested.recall] if point.tested else []
    shares = [point.chosen.precision, point.chosen.recall, *tested]
    said = [page.unbroken(percent_within(of.value, of.low, of.high)) for of in shares]
    return [asked, point.confidence, *said, *[""] * (4 - len(said))]


def diagram(scenes: Sequence[DetectedScene], about: Card) -> Figure:
    """Draw how often detections of like certainty are right."""
    drawing, axes = plt.subplots(figsize=(5, 4))
    axes.plot((0, 1), (0, 1), "--", color="#777")
    for name, by, mark in (("what it says", Calibration(), "o"), ("set right", about.calibration, "s")):
        parts = operating.reliability(scenes, len(about.classes), by)
        axes.plot([p for p, _, _ in parts], [r for _, r, _ in parts], f"{mark}-", label=name)
    axes.set(xlabel="certainty", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1.02))
    axes.legend(frameon=False)
    return drawing


def facts(about: Card) -> list[str]:
    """Return what is on the card beside all that."""
    learnt = about.trained_on
    others = ", ".join(f"{name} ({count})" for name, count in learnt["other_products"].items())
    rows: dict[str, Any] = {
        "arm": about.arm, "classes": ", ".join(of.name for of in about.classes),
        "photographs of it": ", ".join(learnt["photographs"]) or "none",
        "photographs of other products": others or "none",
        "composed pictures": ", ".join(f"{of} ({count})" for of, count in learnt["composed"].items()) or "none",
        "photographs labelled by detectors": str(learnt.get("labelled", 0)),
        "ONNX": f"{100 * about.onnx['share']:.1f} % of {about.onnx['detections']} detections are the same within "
                f"{about.onnx['within']:g}",
        "longer side, pixels": about.imgsz, "weights (SHA-256)": about.made["weights"],
        "licence": f"{about.licence}: whoever gets it, or uses it over a network, may ask for the source",
    }  # fmt: skip
    return ["<h2>The card</h2>", page.table(["", ""], [[key, str(value)] for key, value in rows.items()])]

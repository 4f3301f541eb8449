"""Does it help, how much, at what cost: in words, in a table, and as pictures."""

from __future__ import annotations

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from stages import page
from stages.evidence.arm_metrics import METRICS
from stages.evidence.arm_roles import OLD
from stages.evidence.errors import KINDS
from stages.settings import Arm, Settings
from stages.wording import gain_within, percent_within

VERBS = {"helps": "help", "hurts": "hurt", "inconclusive": "cannot be shown to help"}  # of fakes, by their word
HATCHES = ("", "///", "...", "xx", "\\\\\\", "++")  # so that kinds are told apart without colour


def sentences(results: dict, arms: dict[str, Arm], params: Settings) -> list[str]:
    """The answer in a few lines of plain text, for page and terminal alike."""
    part, primary = results["roles"], params.evidence.primary
    if part["baseline"] not in results["arms"] or primary not in results["arms"]:
        return ["Neither the baseline nor the primary arm has been trained: there is no answer yet."]
    base, best = (results["arms"][name] for name in (part["baseline"], primary))
    real = int(best.get("run", {}).get("images", {}).get(f"data/subsets/{arms[primary].subset}", 0)) or "the same few"
    gain = best["against"][part["baseline"]]
    verb = VERBS[gain["word"]]
    if len(base["seeds"]) == 1:
        verb = {"helps": "seem to help", "hurts": "seem to hurt", "inconclusive": verb}[gain["word"]]
    lines = [
        f"The fakes of {primary} {verb}: with {real} real photographs and standard augmentation the detector reaches "
        f"mAP50-95 {base['map50_95']:.3f}, with the fakes {best['map50_95']:.3f}, a difference of {gain['value']:+.3f} "
        f"(95 % interval {gain['low']:+.3f} to {gain['high']:+.3f}) on {results['test_images']} real test images."
    ]
    if top := results["arms"].get(part["ceiling"] or ""):
        subset = f"data/subsets/{arms[part['ceiling']].subset}"
        many = top.get("run", {}).get("images", {}).get(subset)
        saved = f", {(many - real) * params.evidence.minutes / 60:.1f} hours of annotating more" if many else ""
        way = best.get("closed")
        said = f"the fakes close {share(way)} of the way there" if way else "that this is a way up is not certain here"
        lines.append(f"All{f' {many}' if many else ''} photographs reach {top['map50_95']:.3f}{saved}; {said}.")
    lines.append(certainty(results, gain))
    return lines


def certainty(results: dict, gain: dict) -> str:
    """Return what a comparison of one seed can say, or what the gate makes of one of several."""
    if len(results["arms"][results["roles"]["baseline"]]["seeds"]) == 1:
        return ("This is one seed, and nothing is decided by it: "
                + (f"a difference under {gain['least']:.3f} could not be told from chance." if gain["least"] < 1 else
                   "how much another seed would change is not known here."))  # fmt: skip
    decided = results["gate"]
    chosen = f" ({decided['chosen']})" if decided["promote_product"] else ""
    return (f"Gate: the product's detector is {'' if decided['promote_product'] else 'not '}promoted{chosen}, "
            f"{'with' if decided['include_fakes'] else 'without'} fakes.")  # fmt: skip


def share(way: dict) -> str:
    """Return a share of the way with its interval, in percent."""
    return percent_within(way["value"], way["low"], way["high"])


def table(results: dict, of: dict[str, Arm], seconds: dict[str, float]) -> str:
    """Every arm with its interval, what it is worth against others, and its cost."""
    base = results["roles"]["baseline"]
    head = ["arm", "real", "other products", "fakes", "mAP50-95", "95 % interval", *METRICS, f"against {base}",
            "word", "closed", "training, s"]  # fmt: skip
    rows = []
    for name, arm in sorted(results["arms"].items(), key=lambda item: -item[1]["map50_95"]):
        images = arm.get("run", {}).get("images", {})
        real = images.get(f"data/subsets/{of[name].subset}", 0) if name in of else 0
        known = sum(count for folder, count in images.items() if "/subsets/" in folder) - real
        against = arm.get("against", {})
        gain, opponent = (against[base], "") if base in against else (against.get(OLD), f" on {OLD}")
        rows.append([
            name, *([real, known, sum(images.values()) - real - known] if images else ["", "", ""]),
            arm["map50_95"], page.unbroken(f"{arm['low']:.3f} to {arm['high']:.3f}"),
            *(arm.get(metric, "") for metric in METRICS),
            page.unbroken(f"{spread(gain)}{opponent}") if gain else "", gain["word"] if gain else "",
            page.unbroken(share(arm["closed"])) if "closed" in arm else "",
            f"{seconds[name]:.0f}" if name in seconds else "",
        ])  # fmt: skip
    return page.table(head, rows)


def spread(gain: dict) -> str:
    """Return a difference with its interval."""
    return gain_within(gain["value"], gain["low"], gain["high"])


def arms(results: dict) -> Figure:
    """A point and its interval for each arm, the best above; filled where the fakes help."""
    items = sorted(results["arms"].items(), key=lambda item: item[1]["map50_95"])
    drawing, axes = plt.subplots(figsize=(7, 0.42 * len(items) + 1.1), constrained_layout=True)
    for k, (_, arm) in enumerate(items):
        axes.plot([arm["low"], arm["high"]], [k, k], color="#0072B2", lw=2.5, solid_capstyle="round")
        axes.plot(arm["map50_95"], k, "o", color="#0072B2", ms=8)
        axes.plot(arm["seeds"], [k] * len(arm["seeds"]), "|", color="#1d2024", ms=9)
    for role, style in (("baseline", "--"), ("ceiling", ":")):
        if (name := results["roles"][role]) in results["arms"]:
            axes.axvline(results["arms"][name]["map50_95"], ls=style, color="#555555", lw=1, label=name)
    axes.set(yticks=range(len(items)), yticklabels=[name for name, _ in items], xlabel="mAP50-95 on real test images")
    axes.grid(axis="y", visible=False)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return drawing


def errors(results: dict) -> Figure:
    """Draw the kinds of errors that each arm makes."""
    items = sorted(results["arms"].items(), key=lambda item: item[1]["map50_95"])
    drawing, axes = plt.subplots(figsize=(7, 0.36 * len(items) + 1.4), constrained_layout=True)
    left = np.zeros(len(items))
    for kind, hatch in zip(KINDS, HATCHES, strict=True):
        values = np.array([arm["errors"][kind] for _, arm in items])
        axes.barh(range(len(items)), values, 0.7, left=left, label=kind, hatch=hatch, edgecolor="white", lw=0.3)
        left += values
    axes.set(yticks=range(len(items)), yticklabels=[name for name, _ in items], xlabel="errors on all test images")
    axes.grid(axis="y", visible=False)
    axes.legend(frameon=False, fontsize=8, ncols=6, loc="upper center", bbox_to_anchor=(0.45, -0.16))
    return drawing

"""The study's section of the report: what ten photographs are worth, arm by arm, and where it breaks."""

from __future__ import annotations

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from stages import files, page, paths
from stages.evidence.arm_metrics import METRICS
from stages.report.answer import VERBS, share, spread
from stages.settings import Settings

MARKS = ("o", "s", "^", "D", "v", "P")  # so that lines are told apart without colour


def section(params: Settings) -> list[str]:
    """Return HTML; nothing where there is no study."""
    if not paths.STUDY.exists():
        return []
    found = files.read_json(paths.STUDY)
    arms, conditions = found.get("arms", {}), found["conditions"]
    if not arms:
        return []
    lines = sentences(found, params)
    parts = [f"<h2>{page.text(lines[0])}</h2>", *(f"<p>{page.text(line)}</p>" for line in lines[1:])]
    parts.append(f"<p class=soft>{page.text(how(conditions))}</p>")
    if len(found["curve"]) and any(len(points) > 1 for points in found["curve"].values()):
        alt = "mAP50-95 over the number of annotated photographs, with 95 % intervals, by arm"
        parts += ["<div class='figures'>", page.figure(curve(found), alt), "</div>"]
    parts += ["<h3>Arms of as many photographs</h3>", table(found)]
    if shifted := [name for name, arm in arms.items() if arm["shifted"]]:
        stations = list(arms[shifted[0]]["shifted"])
        rows = [[name, arms[name]["value"], *(arms[name]["shifted"][s] for s in stations)] for name in shifted]
        parts += ["<h3>Where it breaks</h3>",
                  "<p>mAP50-95 on photographs of the same products at stations that differ in one respect.</p>",
                  page.table(["arm", "as trained", *(s.replace("_", " ") for s in stations)], rows)]  # fmt: skip
    rows = [
        [name, choice, of["value"], page.unbroken(spread(of["against_random"])) if "against_random" in of else ""]
        for name, choices in found["choices"].items()
        for choice, of in choices.items()
    ]
    if rows:
        parts += ["<h3>Which photographs</h3>", page.table(["arm", "chosen", "mAP50-95", "against random ones"], rows)]
    names = list(arms)
    rows = [[name, *(arms[name]["metrics"].get(m, "") for m in METRICS)] for name in names]
    return [*parts, "<h3>Secondary measures</h3>", page.table(["arm", *(m.replace("_", " ") for m in METRICS)], rows)]


def sentences(found: dict, params: Settings) -> list[str]:
    """Return the answer in a few lines of plain text, the shortest first."""
    count, primary = found["conditions"]["photographs"], found["primary"]
    arms = found["arms"]
    lines = []
    if of := found.get("worth", {}).get(primary):
        minutes = params.evidence.minutes
        least, saved, most = (max(0.0, of[end] - count) * minutes / 60 for end in ("low", "worth", "high"))
        lines += [
            f"{count} photographs with {primary} are worth {number(of, 'worth')} without "
            f"({number(of, 'low')} to {number(of, 'high')})",
            f"That is {saved:.1f} hours of annotating ({least:.1f} to {most:.1f}"
            f"{' or more' * (of['high'] >= of['most'])}), at {minutes:g} minutes a photograph.",
        ]
    if "against" in (arm := arms.get(primary, {})):
        verb = VERBS[arm["against"]["word"]]
        way = f"; they close {share(arm['closed'])} of the way to all photographs" if "closed" in arm else ""
        lines.append(
            f"The fakes of {primary} {verb}: {arm['against']['without']:.3f} mAP50-95 without, "
            f"{arm['against']['without'] + arm['against']['value']:.3f} with them, "
            f"{spread(arm['against'])}{way}. The smallest difference that this comparison sees four times in five is "
            f"{arm['against']['least']:.3f}."
        )
    return lines or ["The study has too few runs for an answer"]


def number(of: dict, key: str) -> str:
    """Return a number of photographs; that it may be more where the curve ends."""
    return f"{of['most']} or more" if of[key] >= of["most"] else f"{of[key]:.0f}"


def how(conditions: dict) -> str:
    """Return the conditions of a study in one line."""
    products, draws = ", ".join(conditions["products"]), conditions["draws"]
    return (
        f"{conditions['runs']} detectors, {conditions['model']} at {conditions['imgsz']} px, {conditions['steps']} "
        f"steps of {conditions['batch']} images each; products {products}; {draws} draw{'s' * (draws > 1)} of the "
        f"photographs, each with a seed of its own. Intervals of 95 %: over products, draws with seeds, test images."
    )


def table(found: dict) -> str:
    """Return every arm with its interval, its difference to the baseline, and how much of the way it closes."""
    base, rows = found["baseline"], []
    ways = {"closed": "closed", "closed_warm": "closed, of the way to warm_all"}
    ways = {key: title for key, title in ways.items() if any(key in arm for arm in found["arms"].values())}
    for name, arm in sorted(found["arms"].items(), key=lambda item: -item[1]["value"]):
        gain = arm.get("against")
        rows.append([
            name, arm["value"], page.unbroken(f"{arm['low']:.3f} to {arm['high']:.3f}"),
            page.unbroken(spread(gain)) if gain else "", gain["word"] if gain else "", gain["least"] if gain else "",
            *(page.unbroken(share(arm[key])) if key in arm else "" for key in ways),
        ])  # fmt: skip
    head = ["arm", "mAP50-95", "95 % interval", f"against {base}", "word", "least seen"]
    return page.table([*head, *ways.values()], rows)


def curve(found: dict) -> Figure:
    """Draw mAP50-95 over the number of photographs, a line for each arm."""
    drawing, axes = plt.subplots(figsize=(7.5, 4.4), constrained_layout=True)
    counts = sorted({point["count"] for points in found["curve"].values() for point in points})
    for k, (name, points) in enumerate(found["curve"].items()):
        x = [point["count"] * 1.02 ** (k - 1.5) for point in points]  # beside each other
        lows, highs = ([point[end] for point in points] for end in ("low", "high"))
        axes.vlines(x, lows, highs, color=f"C{k}", lw=1.2, alpha=0.6)
        axes.plot(x, [point["value"] for point in points], f"{MARKS[k % len(MARKS)]}-", color=f"C{k}", ms=5, label=name)
    axes.set(xscale="log", xlabel="annotated photographs", ylabel="mAP50-95 on test images")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    return drawing

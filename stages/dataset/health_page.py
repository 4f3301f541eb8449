"""The health check as pictures and a page."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

from stages import drawing, files, page, tables
from stages.dataset import coco, fixes, photo
from stages.dataset.findings import KINDS
from stages.settings import Settings

SHOWN, PICTURES, OF_EACH = 12, 6, 4  # findings of one kind that the page lists; pictures of them, and of each
WIDTH = 420
LONGEST = 40  # characters of a class's name in a plot


def section(report: dict, dataset: coco.Coco, original: coco.Coco, images: Path) -> str:
    """Return the health of the dataset as a section of HTML."""
    findings = report["findings"]
    open_ = sum(not f["fixed"] for f in findings)
    parts = [
        page.tiles({
            "images": report["images"], "objects": report["annotations"], "groups": len(report["groups"]),
            "findings": len(findings), "of them fixed": len(findings) - open_,
        }),
        "<h2>What is in it</h2>",
        _figures(report, dataset),
        "<h3>Groups</h3>",
        page.table(
            ["group", "images", "objects", "objects an image"],
            [[g, of["images"], of["objects"], of["objects"] / of["images"]] for g, of in report["groups"].items()],
        ),
        "<h2>Findings</h2>",
    ]  # fmt: skip
    if not findings:
        parts.append("<p>Nothing was found.</p>")
    for kind, title in KINDS.items():
        if of_kind := [f for f in findings if f["kind"] == kind]:
            parts += [
                f"<h3>{page.text(title)} · {len(of_kind)}</h3>",
                _table(of_kind),
                _pictures(of_kind, original, images),
            ]
    if report["fixes"]:
        keys = ("do", "image", "annotation", "to", "changed")
        rows = [["" if fix[key] is None else str(fix[key]) for key in keys] for fix in report["fixes"]]
        head = [*keys[:-1], "entries changed"]
        parts += ["<h2>Fixes declared in params.yaml</h2>", page.table(head, rows)]
    return "".join(parts)


def _intro(params: Settings) -> str:
    return (
        "<h1>Health of the dataset</h1><p class=soft>Counts are after the declared fixes; what they settled is "
        f"marked fixed. Source: {page.text(params.dataset.source)}, scale {page.text(params.scale)}, "
        f"seed {params.seed}.</p>"
    )


def whole(report: dict, dataset: coco.Coco, original: coco.Coco, images: Path, params: Settings) -> str:
    body = _intro(params) + section(report, dataset, original, images)
    return page.page("Health of the dataset", body)


def _table(findings: list[dict]) -> str:
    def ids(values: list[int]) -> str:
        return ", ".join(map(str, values[:8])) + (f" … {len(values)} in all" if len(values) > 8 else "")

    state = {True: page.raw('<span class="good">fixed</span>'), False: page.raw('<span class="bad">open</span>')}
    rows = [[ids(f["images"]), ids(f["annotations"]), f["says"], state[f["fixed"]]] for f in findings[:SHOWN]]
    more = f"<p class=soft>… and {len(findings) - SHOWN} more in health.json</p>" if len(findings) > SHOWN else ""
    return page.table(["image", "annotations", "what", ""], rows) + more


def _pictures(findings: list[dict], dataset: coco.Coco, images: Path) -> str:
    """Return the images of the first findings as HTML, with the boxes that they are about."""
    entries = {image.id: image for image in dataset.images}
    names = {c.id: c.name for c in dataset.categories}
    boxes = {a.id: a for a in dataset.annotations}
    made = []
    for finding in findings:
        for number in finding["images"][:OF_EACH]:
            if len(made) == PICTURES or number not in entries:
                break
            entry = entries[number]
            try:
                pixels = photo.load(images / entry.file_name, entry.width, entry.height)
            except photo.Unreadable:
                continue
            small = photo.fit(pixels, WIDTH)
            ratio = small.shape[1] / pixels.shape[1]
            for a in (boxes[i] for i in finding["annotations"] if boxes[i].image_id == number):
                drawing.box(small, tuple(v * ratio for v in a.bbox), drawing.WRONG, names[a.category_id])
            made.append(page.picture(small, f"Image {number}, {entry.file_name}"))
    return f'<div class="figures">{"".join(made)}</div>' if made else ""


def _figures(report: dict, dataset: coco.Coco) -> str:
    owners = {image.id: image for image in dataset.images}
    inside = [(fixes.clipped(a.bbox, owner), owner) for a in dataset.annotations for owner in [owners[a.image_id]]]
    relative = np.array(
        [(x / of.width, y / of.height, w / of.width, h / of.height) for (x, y, w, h), of in inside]
    ).reshape(-1, 4)
    balance, axis = plt.subplots(figsize=(5, 3))
    axis.barh(range(len(report["classes"])), list(report["classes"].values())[::-1])
    axis.set_yticks(range(len(report["classes"])), [name[:LONGEST] for name in list(report["classes"])[::-1]])
    axis.set_xlabel("objects")
    axis.grid(axis="y", visible=False)
    per_image, axis = plt.subplots(figsize=(5, 3))
    axis.bar(list(report["objects_per_image"]), list(report["objects_per_image"].values()))
    axis.set(xlabel="objects in an image", ylabel="images")
    size, axis = plt.subplots(figsize=(5, 3.4))
    drawn = axis.hist2d(100 * relative[:, 2], 100 * relative[:, 3], bins=40, cmin=1, cmap="viridis", rasterized=True)
    axis.set(xlabel="width, % of the image", ylabel="height, %")
    size.colorbar(drawn[3], label="boxes")
    where, axis = plt.subplots(figsize=(5, 3.4))
    middle = relative[:, :2] + relative[:, 2:] / 2
    drawn = axis.hist2d(
        middle[:, 0], middle[:, 1], bins=(32, 18), range=((0, 1), (0, 1)), cmap="viridis", rasterized=True
    )
    axis.invert_yaxis()
    axis.set(xticks=[], yticks=[], xlabel="across the image", ylabel="down the image")
    where.colorbar(drawn[3], label="box centres")
    made = [
        page.figure(balance, "Class balance: objects of each class"),
        page.figure(per_image, "Objects per image: how many images hold how many objects"),
        page.figure(size, "Box sizes: how many boxes have which width and height"),
        page.figure(where, "Box positions: where in the image the boxes' centres lie"),
    ]
    return f'<div class="figures">{"".join(made)}</div>'


def write_plots(report: dict, folder: Path) -> None:
    """Write the report's counts as tables that `dvc plots` draws and compares."""
    for name, head, values in (
        ("classes", ("class", "objects"), report["classes"]),
        ("objects_per_image", ("objects", "images"), report["objects_per_image"]),
    ):
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerows(
            [head, *((tables.cell(of), count) for of, count in values.items())]
        )
        files.write(folder / f"{name}.csv", buffer.getvalue())

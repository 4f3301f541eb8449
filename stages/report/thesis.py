"""The thesis, chapter by chapter, with what it says beside what ours says at this scale: reports/thesis.html.

Its figures are quoted here and in the modules that measure the same; ours are read from what the stages have left.
What has not been run is said to be missing.
"""

from __future__ import annotations

from collections import Counter

from stages import command, files, page, paths, settings
from stages.dataset import coco
from stages.gan import compare as gans
from stages.report import thesis_gans, thesis_studies
from stages.report.quoted import hours, metrics, percent, quoted
from stages.settings import Settings

REPORT = paths.REPORTS / "thesis.html"
PRODUCTS = ("focus", "other")  # ours, in the place of the thesis's groups 1 and 4

# 3.4.2: images with 1, 2, … objects, of group 1 and of group 4.
OBJECTS = {"focus": (13, 10, 14, 11, 12, 91), "other": (8, 10, 18, 30, 36, 48)}
# 4.1: found and present, and mean certainty, of the test images of group 1 and of group 4.
FOUND = {"focus": (88, 88, 0.9766), "other": (73, 79, 0.9564)}
DETECTOR_HOURS = 3.17  # on a Tesla K80


def main() -> None:
    params = settings.load()
    files.write(REPORT, page.page("Tenfold: beside the thesis", "\n".join(body(params, gans.done(params)))))


def body(params: Settings, found: dict[str, gans.Done]) -> list[str]:
    """Return the page's content as HTML."""
    return [
        "<h1>Beside the thesis</h1>",
        "<p>Each table and figure of the thesis that Tenfold regenerates: what it says, what ours says, and why they "
        "differ. Below it, the studies of the other sources: how a GAN depends on the number of images, losses and "
        "penalties, inpainting, textures.</p>",
        *conditions(params), *dataset(), *objects(params), *detector(params),
        *thesis_gans.group(params, found), *thesis_gans.experiments(params, found),
        *thesis_gans.early(found), *thesis_gans.verdicts(params), *thesis_gans.detected(params),
        *thesis_studies.sizes(found), *thesis_studies.losses(), *thesis_studies.inpainting(),
    ]  # fmt: skip


def conditions(params: Settings) -> list[str]:
    """Return what differs everywhere."""
    gan, detector = params.now.gan, params.now.detector
    rows = [
        ["photographs", "2,151 of 14 products, taken in a warehouse",
         "drawn by the built-in world" if params.dataset.source == "bins" else "your own"],
        ["a GAN's pictures", "256 px", f"{gan.size} px"],
        ["a GAN's width (dim)", 64, gan.dim],
        ["steps of the critic for one of the generator", 5, gan.critic_steps],
        ["learning rate", "0.0002", f"{gan.lr:g}"],
        ["steps of the critic, at most", "3,375,000", f"{gan.most_steps:,}"],
        ["detector", "YOLOv5x from COCO weights, 256 px",
         f"{detector.model} {'from ' + detector.weights if detector.weights else 'from scratch'}, {detector.imgsz} px"],
        ["verdicts", "one person, by eye", "the judge, and people where they spoke"],
    ]  # fmt: skip
    return [
        f"<h2 id='conditions'>What differs everywhere: scale {page.text(params.scale)}</h2>",
        page.table(["", "thesis", "here"], [[name, str(theirs), str(ours)] for name, theirs, ours in rows]),
    ]


def dataset() -> list[str]:
    """Chapter 3.4.1, figure 3.6: the health check."""
    path = paths.REPORTS / "health.json"
    if not path.exists():
        return quoted("3.4.1", "The health check", [], "")
    health = files.read_json(path)
    fixed = sum(bool(finding["fixed"]) for finding in health["findings"])
    rows = [
        ["images", "2,151", f"{health['images']:,}"],
        ["findings", "2: objects of a wrong class in one image; a class with 1 object", str(len(health["findings"]))],
        ["of them mended", "1", str(fixed)],
    ]
    return quoted(
        "3.4.1, figure 3.6", "The health check", [page.table(["", "thesis", "here"], rows)],
        "The built-in world has the thesis's fault planted in it, and others: near-duplicates, boxes that leave the "
        "frame. Ours looks for these too.",
    )  # fmt: skip


def objects(params: Settings) -> list[str]:
    """Chapter 3.4.2: how many images show how many objects."""
    if not paths.ANNOTATIONS.exists():
        return quoted("3.4.2", "Objects in an image", [], "")
    dataset = coco.read(paths.ANNOTATIONS)
    groups, there = coco.grouped(dataset, params.dataset.groups), coco.by_image(dataset)
    rows: list[tuple[str, dict[int, int]]] = []
    most = len(OBJECTS["focus"])
    for product in PRODUCTS:
        theirs = dict(enumerate(OBJECTS[product], 1))
        ours = Counter(len(there[image.id]) for image in groups.get(params.group(product), []))
        most = max(most, *ours, 0)
        rows += [(f"thesis, group {1 if product == 'focus' else 4}", theirs), (f"here, {params.group(product)}", ours)]
    shown = [
        [name, *(of.get(n, 0) for n in range(1, most + 1)), sum(of.values()),
         round(sum(n * count for n, count in of.items()) / max(1, sum(of.values())), 2)]
        for name, of in rows
    ]  # fmt: skip
    return quoted(
        "3.4.2, table", "Objects in an image",
        [page.table(["images with … objects", *map(str, range(1, most + 1)), "images", "objects an image"], shown)],
        "The built-in world draws bins as full as the thesis's two groups. Ours are more, because some are made for "
        "testing only." if params.dataset.source == "bins" else "The photographs are others.",
    )  # fmt: skip


def detector(params: Settings) -> list[str]:
    """Chapter 4.1: the detector of all products on its test images."""
    test = metrics("detector_test")
    rows: list[list[object]] = []
    for product in PRODUCTS:
        group = params.group(product)
        found, present, certainty = FOUND[product]
        rows.append([f"thesis, group {1 if product == 'focus' else 4}", f"{found} of {present}",
                     percent(found / present), f"{100 * certainty:.2f} %"])  # fmt: skip
        if f"{group}_present" in test:
            ours = [test[f"{group}_{what}"] for what in ("found", "present", "certainty")]
            share = ours[0] / ours[1] if ours[1] else None
            rows.append([f"here, {group}", f"{ours[0]} of {ours[1]}", percent(share), percent(ours[2])])
        else:
            rows.append([f"here, {group}", "not run", "", ""])
    took = hours(files.read_json(path)["seconds"]) if (path := paths.TIMING / "detector_baseline.json").exists() else ""
    rows.append(
        ["hours of training, thesis and here", f"{DETECTOR_HOURS} (Tesla K80)", took or "not measured here", ""]
    )
    weights = params.now.detector.weights
    return quoted(
        "4.1", "The detector of all products, on test images",
        [page.table(["", "objects found", "share", "mean certainty"], rows)],
        "The thesis's detector is the largest YOLOv5 and starts from COCO's weights. Ours starts from "
        f"{weights or 'nothing, because no weights are downloaded: name yours as scales.….detector.weights'}; a small "
        "detector after a short training is less sure of what it finds. Our test images are more, among them bins that "
        "lie under other light.",
    )  # fmt: skip


if __name__ == "__main__":
    command.run(main, __doc__)

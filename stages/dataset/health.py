"""The health check: what is wrong with the dataset, what params.yaml corrects of it, and what remains.

Reads data/source. Writes the corrected annotations and the near-duplicates for the later stages (data/health), and the
findings as reports/health.json and reports/health.html. A picture that cannot be used ends the stage: it must be
mended, or dropped by a declared fix.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from stages import command, files, paths, progress, provenance, settings
from stages.dataset import coco, fixes, health_page, near_duplicates, photo
from stages.dataset.findings import Look, inspect
from stages.problem import Problem
from stages.settings import Settings

REPORT = paths.REPORTS / "health.json"


def main() -> None:
    params = settings.load()
    dataset = coco.read(paths.SOURCE_ANNOTATIONS)
    looks = look(dataset, paths.SOURCE_IMAGES)
    near = near_duplicate_images(looks, params)
    before = inspect(dataset, looks, near, params)
    corrected, record = fixes.apply(dataset, params.dataset.fixes)
    corrected = fixes.once(corrected)
    known = {image.id for image in corrected.images}
    corrected.annotations = [a for a in corrected.annotations if a.image_id in known]
    near = [left for cluster in near if len(left := [i for i in cluster if i in known]) > 1]
    after = inspect(corrected, looks, near, params)

    remaining = set(after)
    settled = [finding for finding in before if finding not in remaining]
    report = summary(corrected, params) | {
        "findings": [asdict(f) | {"fixed": fixed} for of, fixed in ((settled, True), (after, False)) for f in of],
        "fixes": record,
    }
    files.write_json(REPORT, report)
    files.write(REPORT.with_suffix(".html"), health_page.whole(report, corrected, dataset, paths.SOURCE_IMAGES, params))
    health_page.write_plots(report, paths.PLOTS / "health")
    if broken := [f for f in after if f.kind == "unreadable"]:
        more = f" (and {len(broken) - 1} more, see {REPORT})" if len(broken) > 1 else ""
        hint = f"mend the file, or declare {{do: drop, image: {broken[0].images[0]}}} in dataset.fixes"
        raise Problem(f"image {broken[0].images[0]}: {broken[0].says}{more}; {hint}")
    with files.replacing(paths.HEALTH) as folder:
        coco.write(folder / paths.ANNOTATIONS.name, corrected)
        files.write_json(folder / paths.NEAR_DUPLICATES.name, near)


def look(dataset: coco.Coco, images: Path) -> list[Look]:
    """Open every picture once, and return what was found."""

    def one(image: coco.Image) -> Look:
        path = images / image.file_name
        try:
            pixels = photo.load(path, image.width, image.height)
        except photo.Unreadable as problem:
            return Look(image.id, str(problem), False, "", None)
        return Look(image.id, None, photo.turned(path), files.digest(path), near_duplicates.traits(pixels))

    with ThreadPoolExecutor(provenance.cores()) as pool:
        looks = pool.map(one, dataset.images)
        return list(progress.bar(looks, total=len(dataset.images), what="looking at images", unit="image"))


def near_duplicate_images(looks: list[Look], params: Settings) -> list[list[int]]:
    """Return the image ids of pictures that are nearly the same, cluster by cluster."""
    seen = [(one, one.traits) for one in looks if one.traits]
    found = near_duplicates.alike([traits for _, traits in seen], params.split)
    return [[seen[position][0].image for position in cluster] for cluster in found]


def summary(dataset: coco.Coco, params: Settings) -> dict:
    """Return the counts of a dataset, by class and by group."""
    names = {c.id: c.name for c in dataset.categories}
    per_image = coco.by_image(dataset)

    def counted(images: list[coco.Image]) -> dict:
        objects = [len(per_image[image.id]) for image in images]
        times = {str(k): v for k, v in sorted(Counter(objects).items())}
        return {"images": len(images), "objects": sum(objects), "per_image": times}

    classes = Counter(names[a.category_id] for a in dataset.annotations)
    return {
        "images": len(dataset.images),
        "annotations": len(dataset.annotations),
        "classes": {name: classes[name] for name in coco.class_names(dataset)},
        "objects_per_image": counted(dataset.images)["per_image"],
        "groups": {group: counted(images) for group, images in coco.grouped(dataset, params.dataset.groups).items()},
    }


if __name__ == "__main__":
    command.run(main, __doc__)

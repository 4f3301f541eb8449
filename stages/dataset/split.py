"""Which images train, validate and test: drawn within each group on its own, before anything is generated.

A group's draw depends on its own images alone, so a new group moves no other image. Near-duplicates stay together.
Writes data/split.json, and data/split_reasons.csv with the reason for every image.
"""

from __future__ import annotations

import csv
import hashlib
import io

from stages import command, files, paths, settings, tables
from stages.dataset import coco
from stages.settings import Split

PARTS = ("train", "val", "test")


def main() -> None:
    params = settings.load()
    dataset = coco.read(paths.ANNOTATIONS)
    near = files.read_json(paths.NEAR_DUPLICATES)
    places = draw(dataset, params.dataset.groups, near, params.split, params.seed)
    files.write_json(paths.SPLIT, {part: sorted(i for i, (p, _) in places.items() if p == part) for part in PARTS})
    names = {image.id: image.file_name for image in dataset.images}
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["image", "file_name", "part", "reason"])
    writer.writerows([i, tables.cell(names[i]), part, reason] for i, (part, reason) in sorted(places.items()))
    files.write(paths.SPLIT_REASONS, buffer.getvalue())


def draw(
    dataset: coco.Coco, mapping: dict[str, list[str]], near: list[list[int]], shares: Split, seed: int
) -> dict[int, tuple[str, str]]:
    """Return, by image id, where each image goes (train, val or test), and the reason."""
    groups = coco.grouped(dataset, mapping)
    group_of = {image.id: group for group, images in groups.items() for image in images}
    cluster_of = {i: frozenset(cluster) for cluster in near for i in cluster}
    classes = {i: {a.category_id for a in of} for i, of in coco.by_image(dataset).items()}
    places: dict[int, tuple[str, str]] = {}
    for group, images in groups.items():
        places |= _draw_group(group, images, group_of, cluster_of, classes, shares, seed)
    _reunite(places, cluster_of)
    return places


def _draw_group(
    group: str,
    images: list[coco.Image],
    group_of: dict[int, str],
    cluster_of: dict[int, frozenset[int]],
    classes: dict[int, set[int]],
    shares: Split,
    seed: int,
) -> dict[int, tuple[str, str]]:
    places: dict[int, tuple[str, str]] = {}
    alone = _only_images_of_a_class(images, classes)
    units: set[frozenset[int]] = set()  # what is drawn together: near-duplicates, or one image
    for image in images:
        cluster = cluster_of.get(image.id, frozenset([image.id]))
        if image.split:
            places[image.id] = image.split, "declared by the dataset"
        elif len({group_of[i] for i in cluster}) > 1:
            places[image.id] = "train", "near-duplicate of an image of another group"
        elif image.id in alone:
            places[image.id] = "train", "the only image of its group with one of its classes"
        else:
            units.add(cluster)
    ids = {image.id for image in images}
    units = {left for unit in units if (left := unit & ids - places.keys())}
    wanted = _quota(sum(map(len, units)), shares)
    # The largest clusters first, while there is room for them; then in an order that the seed and the names decide.
    names = {image.id: image.file_name for image in images}

    def chance(unit: frozenset[int]) -> tuple[int, str]:
        key = f"{seed}/{group}/{min(names[i] for i in unit)}"
        return -len(unit), hashlib.sha256(key.encode()).hexdigest()

    for unit in sorted(units, key=chance):
        part = max(PARTS, key=lambda p: (wanted[p] >= len(unit), wanted[p]))
        wanted[part] -= len(unit)
        reason = f"drawn within {group}" + (f", with its {len(unit) - 1} near-duplicates" if len(unit) > 1 else "")
        places |= dict.fromkeys(unit, (part, reason))
    return places


def _only_images_of_a_class(images: list[coco.Image], classes: dict[int, set[int]]) -> set[int]:
    """Return the images that alone in their group show some class: it could not be tested without having been
    trained."""
    shown: dict[int, list[int]] = {}
    for image in images:
        for category in classes[image.id]:
            shown.setdefault(category, []).append(image.id)
    return {of[0] for of in shown.values() if len(of) == 1} if len(images) > 1 else set()


def _quota(count: int, shares: Split) -> dict[str, int]:
    """Return how many images go where: the shares, rounded to add up (largest remainders first, training wins ties)."""
    exact = {part: getattr(shares, part) * count for part in PARTS}
    whole = {part: int(value + 1e-9) for part, value in exact.items()}
    for part in sorted(PARTS, key=lambda p: whole[p] - exact[p])[: count - sum(whole.values())]:
        whole[part] += 1
    return whole


def _reunite(places: dict[int, tuple[str, str]], cluster_of: dict[int, frozenset[int]]) -> None:
    """Mend what declared places may have torn apart: of near-duplicates what could train does not, and test wins."""
    for cluster in set(cluster_of.values()):
        parts = {places[i][0] for i in cluster}
        if len(parts) > 1:
            part = max(parts, key=PARTS.index)
            for i in cluster:
                if places[i][0] != part:
                    places[i] = part, f"near-duplicate of a {part} image"


if __name__ == "__main__":
    command.run(main, __doc__)

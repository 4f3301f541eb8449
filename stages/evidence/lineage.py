"""Which real images had a part in what: no image of a product outside its subset may reach any of its arms.

What trained or gated something is followed to its sources: accepted candidates to the folders that their generator
learnt from, these to theirs, and the detectors that judge, label or are gone on from to the images that they saw.
Photographs that nobody annotated may be any but those to test on; their labels may be of no others than fakes are.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from stages import files, paths
from stages.dataset import coco
from stages.problem import Problem
from stages.settings import Arm, Settings, named_folder


def sources(folder: Path) -> dict[int, str]:
    """Image id → file name of all real images that came into a folder, directly or through generators."""
    found: dict[int, str] = {}
    todo, seen = [folder], set()
    while todo:
        if (now := todo.pop()) in seen:
            continue
        seen.add(now)
        for image in files.read_json(now / "annotations.json")["images"]:
            if "lineage" in image:
                todo += [Path(parent) for parent in image["lineage"]["parents"].split(";")]
            else:
                found[image["id"]] = image["file_name"]
    return found


def accepted(product: str, subset: str, params: Settings) -> list[Path]:
    """The product's accepted candidates that came of the subset's images and of other products' alone."""
    own = set(sources(paths.SUBSETS / subset))
    made = [name for name, of in params.all_experiments.items() if of.product == product]
    folders = [paths.ACCEPTED / name for name in made if (paths.ACCEPTED / name / "annotations.json").exists()]
    return [f for f in folders if set(of_product(sources(f).items(), product, params)) <= own]


def of_product(images: Iterable[tuple[int, str]], product: str, params: Settings) -> list[int]:
    """Return the ids of those images that are of a product's group."""
    return [id_ for id_, name in images if group_of(id_, name, params) == params.group(product)]


def fakes(arm: Arm, params: Settings) -> list[Path]:
    """The folders of fakes that an arm trains on."""
    if arm.ratio == 0:
        return []
    folder = Path(arm.fakes)
    return accepted(arm.product, arm.subset, params) if folder == paths.ACCEPTED else [folder]


def had_a_word(folder: Path, params: Settings) -> bool:
    """Return whether a judge or a labeller chose or labelled what is in a folder of fakes."""
    return not (folder.name == paths.UNGATED and folder.parent.name in params.compositions)


def check(name: str, arm: Arm, params: Settings, dataset: coco.Coco) -> None:
    """Raise a Problem that names the images which must not have reached an arm."""
    names = {image.id: image.file_name for image in dataset.images}
    reached = dict(sources(paths.SUBSETS / arm.subset))
    made = fakes(arm, params)
    labelled, known, start = (named_folder(of) for of in (arm.labelled, arm.known, arm.start))
    seen_by = [start] if start else []
    for folder in [*made, *(of for of in (labelled, known) if of)]:
        reached |= sources(folder)
    if labelled or any(had_a_word(folder, params) for folder in made):
        seen_by += [paths.DETECTORS / arm.product / detector for detector in ("judge", "labeller")]
    for detector in seen_by:
        if (facts := detector / "images.json").exists():
            reached |= {id_: names[id_] for id_ in files.read_json(facts)["train"]}
    own = set(sources(paths.SUBSETS / arm.subset))
    refuse(f"arm {name}, subset {arm.subset}", reached, own, params.group(arm.product), params)
    if labelled:
        shown = {image["id"]: image["file_name"] for image in files.read_json(labelled / "annotations.json")["images"]}
        refuse(f"arm {name}, {labelled}", shown, {*shown}, params.group(arm.product), params)


def refuse(what: str, reached: dict[int, str], own: set[int], group: str, params: Settings) -> None:
    """Raise a Problem where images of a group beside its `own`, or of the validation or test split, were reached."""
    split = files.read_json(paths.SPLIT)
    outside = {id_ for id_, name in reached.items() if group_of(id_, name, params) == group} - own
    held = set(reached) & {*split["val"], *split["test"]}
    for ids, why in ((outside, "outside its subset"), (held, "of the validation or test split")):
        if ids:
            some = ", ".join(reached[id_] for id_ in sorted(ids)[:3])
            raise Problem(f"{what}: {len(ids)} images {why} had a part in its training data ({some}, …)")


def group_of(id_: int, name: str, params: Settings) -> str:
    """Return the group of an image of this file name."""
    return coco.group_of(coco.Image(id_, name, 1, 1), params.dataset.groups)

"""Take from real images the limits that a product's candidates are judged by (data/judge/<product>/limits.json).

There is a set of limits for each size of what is judged: GANs may draw smaller pictures than the judge looks at. The
product's own images are its subset alone: they say how much its objects stand out, and changed copies of them how
sure the detector is of these. What real images may look like is tried out on other products: a few images that it
trained on, and others. Where there is no other product, the copies play these, too, beside pictures recombined of the
product's own objects; such a judge is less sure, because it has seen no photograph that it does not know.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from stages import command, files, paths, settings
from stages.dataset import coco, subset
from stages.detector import predict
from stages.judge import candidate_pictures, limits, planted, quality, reference
from stages.judge.copies import LITTLE, copies
from stages.judge.limits import GradingExamples, Trial
from stages.judge.quality import Seen
from stages.judge.reference import Reference
from stages.settings import Settings

FEW = 10  # images of another product that play the part of the subset
EXAMPLES = 60  # pictures of each colour that the weights of evidence are fitted to, for each other product


def main(product: str) -> None:
    params = settings.load()
    found, features = {}, {}
    for drawn in candidate_pictures.sides(params):
        own = reference.read([paths.SUBSETS / params.known_subset(product)], params.now.judge.size, drawn)
        tried = trials(params, product, own, drawn)
        found[str(drawn)] = asdict(limits.limits(own, look_at_copies(own, params, product), tried, params.judge))
        features[str(drawn)] = limits.known_features(tried)
    with files.replacing(paths.JUDGE / product) as folder:
        files.write_json(folder / "limits.json", found)
        files.write(folder / "known.safetensors", save(features))


def look_at_copies(own: Reference, params: Settings, product: str) -> list[Seen]:
    """Return what the judge's detector sees in changed copies of a product's own images."""
    rng = np.random.default_rng(params.seed)
    made = [copies(pixels, params.judge.copies, params.judge.shift, rng, LITTLE) for pixels in own.pixels]
    weights = paths.trained(product, "judge")
    return quality.look(weights, np.concatenate(made), params.now.judge.imgsz, params.testing.confidence)


def trials(
    params: Settings, product: str, own: Reference, drawn: int | None = None, but: str | None = None
) -> list[Trial]:
    """Return a trial of every other product that has images which the detector trained on, and others, without the
    group `but`, if one is left; and one of the product's own images."""
    weights, groups = paths.trained(product, "judge"), known_groups(params, product)
    found = []
    for group in [name for name in groups if name != but] or groups:
        few = known(params, product, group, "train", slice(FEW), drawn)
        unseen = known(params, product, group, "val", slice(0, None, 2), drawn)
        if few and unseen:
            found.append(trial(few, unseen, weights, params))
    return [*found, of_itself(own, weights, params, alone=not found)]


def of_itself(own: Reference, weights: Path, params: Settings, alone: bool = False) -> Trial:
    """Return a trial of a product's own images, all of which the detector trained on; where it is alone, pictures that
    are like good ones play those that it has not seen."""
    return trial(own, own, weights, params, unlike(own, params) if alone else own.pixels[:0])


def trial(few: Reference, others: Reference, weights: Path, params: Settings, good: np.ndarray | None = None) -> Trial:
    """Return what the detector makes of a few images that it trained on, of good pictures that it did not (if none are
    given, the other images), and of pictures of known colour that are made of the other images."""
    unseen = others.pixels if good is None else good
    made, colours = planted.graded(others, few, EXAMPLES, params.seed)
    pixels = np.concatenate([unseen, made])
    imgsz = params.now.judge.imgsz
    seen, features = quality.look_closely(weights, pixels, imgsz, params.testing.confidence)
    count = len(unseen)
    examples = GradingExamples(pixels, ["green"] * count + colours, counted(count, colours), seen, features)
    return Trial(few, predict.features(weights, few.pixels, imgsz), seen[:count], examples)


def counted(real: int, colours: list[str]) -> np.ndarray:
    """Return how much real images, and pictures made of them, count: every colour alike, as green both kinds alike."""
    of = Counter(colours)
    weights = [1 / max(real, 1)] * real + [(1 if colour == "green" else 2) / of[colour] for colour in colours]
    return np.array(weights) * EXAMPLES


def unlike(own: Reference, params: Settings) -> np.ndarray:
    """Return good pictures of a product beside its photographs: changed copies, and its objects recombined."""
    rng = np.random.default_rng(params.seed)
    copied = [copies(pixels, params.judge.copies, params.judge.shift, rng, LITTLE) for pixels in own.pixels]
    return np.concatenate([*copied, planted.greens(own, params.now.judge.planted, params.seed)])


def known_groups(params: Settings, product: str) -> list[str]:
    """Return the groups of all products but this one."""
    groups = coco.grouped(coco.read(paths.ANNOTATIONS), params.dataset.groups)
    return subset.others(groups, params.group(product), params.products)


def known(
    params: Settings, product: str, group: str, part: str, which: slice, drawn: int | None = None
) -> Reference | None:
    """Return some of a group's images that the judge's detector trained on (`train`) or only validated with (`val`)."""
    dataset = coco.read(paths.ANNOTATIONS)
    listed = set(files.read_json(paths.trained(product, "judge").with_name("images.json"))[part])
    images = coco.grouped(dataset, params.dataset.groups)[group]
    ids = [image.id for image in images if image.id in listed][which]
    return reference.of_ids(ids, params, drawn)


if __name__ == "__main__":
    command.run(main, __doc__, product="focus or other")

"""An arm made anew of given photographs: with fakes composed of these, where it has fakes.

For whoever cannot take what the stages have left: folds of a product's only images, studies over draws, benchmarks.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from stages import files, paths
from stages.compose import candidates, classic, paste
from stages.dataset import coco, subset
from stages.detector import model
from stages.evidence import arm, mix
from stages.settings import NONE, Arm, Compared, Settings

COMPOSERS = {"paste": paste, "classic": classic}  # the cheap ones


@dataclass(frozen=True)
class Photographs:
    """All the real images that an arm's detector sees. Folders of images have images/ and annotations.json."""

    own: Path  # of the product
    known: Path | None = None  # of other products: to train on, or for composers to learn from how objects lie …
    start: Path | None = None  # … and the folder of the detector that has learnt these
    labelled: Path | None = None  # of the product, labelled by detectors


@dataclass(frozen=True)
class Remade:
    weights: Path
    images: dict[str, int]  # folder → how many different images of it were trained on
    seconds: float


def some(dataset: coco.Coco, ids: list[int], images: Path, folder: Path) -> Path:
    """Put some images of a dataset, in this order, into a folder of their own; leave one that is there as it is."""
    if not folder.exists():
        with files.replacing(folder) as into:
            subset.fill(into, coco.subset(dataset, ids), images)
    return folder


def train(asked: Arm, of: Photographs, how: Compared, seed: int, place: Path, title: str, params: Settings) -> Remade:
    """Train an arm's detector on photographs and on what is composed of them, in a folder to work in.

    A killed run is continued by the same call. The caller removes the folder once the weights have been used.
    """
    known, start = (of.known, of.start) if asked.known != NONE else (None, None)
    fakes = [composed(asked, of, seed, place / "fakes", params)] if asked.ratio else []
    labelled = of.labelled if asked.labelled != NONE else None
    parts = arm.parts(of.own, labelled, fakes, asked.ratio, known, params.evidence)
    rule = arm.detector(params, how, asked.augment, start)
    images = mix.write(parts, place / "data", how.imgsz, rule.drawn, seed)
    trained = model.train(place / "data", rule, seed, paths.CHECKPOINTS, title)
    files.write(place / "weights.pt", trained.last.read_bytes())
    model.forget(trained)
    return Remade(place / "weights.pt", images, trained.seconds)


def composed(asked: Arm, of: Photographs, seed: int, folder: Path, params: Settings) -> Path:
    """Let an arm's composition, a cheap one, make candidates of these photographs alone: as many as the arm uses.

    A folder that is there is left as it is.
    """
    if not folder.exists():
        name = str(params.composition(asked))
        composition, images = params.compositions[name], files.read_json(of.own / "annotations.json")["images"]
        if composition.known != NONE:
            composition = replace(composition, known=str(of.known or NONE))
        how = COMPOSERS[composition.how]
        with files.replacing(folder) as into:
            count = min(composition.more * params.now.composed, asked.ratio * len(images))
            rows = how.rows(name, composition, of.own, count, seed)
            candidates.write(rows, how.make, into, into / "images")
    return folder

"""params.yaml as typed, validated settings, whose blocks stand in schema.py. This is its only reader.

A wrong key, type or value ends the program before anything is written, with one line that names the key, the value
and what is allowed.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import msgspec
from msgspec import Meta
from ruamel.yaml import YAML

from stages import paths, plain_yaml
from stages.problem import Problem
from stages.schema import (
    CHEAP,
    NONE,
    Arm,
    ArrivalRule,
    Augment,
    Bins,
    Compared,
    Composition,
    Dataset,
    Detector,
    Evidence,
    Experiment,
    Feedback,
    Fix,
    Gan,
    Inpaint,
    Judge,
    Name,
    ObjectGan,
    Products,
    Scale,
    ScaledStudy,
    Section,
    Split,
    Study,
    Subset,
    Testing,
    Texture,
    named_folder,
)
from stages.setting_errors import explain

__all__ = [  # the blocks that others speak of, too
    "NONE",
    "Arm",
    "Bins",
    "Compared",
    "Composition",
    "Dataset",
    "Detector",
    "Evidence",
    "Experiment",
    "Feedback",
    "Fix",
    "Gan",
    "Inpaint",
    "Judge",
    "Products",
    "ScaledStudy",
    "Settings",
    "Split",
    "Study",
    "Subset",
    "Testing",
    "candidate_seed",
    "load",
    "named",
    "named_folder",
]  # fmt: skip

PARAMS = Path("params.yaml")
WIDTH = 120  # of its lines

T = TypeVar("T")
SEEDS = 1_000_000  # of candidates, for each seed of the project
NOT_ARMS = ("judge", "labeller", "known", "zero_shot")  # other detectors of a product


def _refuse(where: str, value: str, allowed: Iterable[str]) -> NoReturn:
    raise ValueError(f"{where}: {value!r} is not allowed: expected one of {', '.join(allowed)}")


class Settings(Section, frozen=True):
    scale: Name
    seed: Annotated[int, Meta(ge=0, lt=2**31)]  # candidates have a million each, in 64 bits
    dataset: Dataset
    split: Split
    products: Products
    defaults: dict[Name, dict[str, Any]]  # what entries have in common; YAML's merge keys have put it into them
    subsets: dict[Name, Subset]
    gan: Gan
    experiments: dict[Name, Experiment]
    textures: dict[Name, Texture]
    object_gans: dict[Name, ObjectGan]
    inpaints: dict[Name, Inpaint]
    compositions: dict[Name, Composition]
    judge: Judge
    feedback: Feedback
    evidence: Evidence
    augmentations: dict[Name, Augment]
    arms: dict[Name, Arm]
    study: Study
    arrival: ArrivalRule
    testing: Testing
    scales: dict[Name, Scale]

    def __post_init__(self) -> None:
        if self.scale not in self.scales:
            _refuse("scale", self.scale, self.scales)
        for table in ("experiments", "textures", "object_gans", "inpaints", "compositions", "arms"):
            for name, entry in getattr(self, table).items():
                where = f"{table}.{name}"
                if entry.subset not in self.subsets:
                    _refuse(f"{where}.subset", entry.subset, self.subsets)
                for key, allowed in self._links(name, entry).items():
                    if (value := getattr(entry, key)) not in allowed:
                        _refuse(f"{where}.{key}", value, allowed)
        for name in self.compositions:
            if name in self.experiments:
                raise ValueError(f"compositions.{name}: another experiment has this name")
        for name, arm in self.arms.items():
            where = f"arms.{name}"
            if name in NOT_ARMS:
                raise ValueError(f"{where}: another detector has this name")
            if arm.augment not in self.augmentations:
                _refuse(f"{where}.augment", arm.augment, self.augmentations)
            if (arm.fakes == NONE) != (arm.ratio == 0):
                raise ValueError(f"{where}.ratio: {arm.ratio} is not allowed: expected 0 without fakes, more with them")
        labelling = {name: arm for name, arm in self.arms.items() if arm.subset == self.judge.subsets.focus}
        if self.feedback.labellers not in labelling:
            _refuse("feedback.labellers", self.feedback.labellers, labelling)
        for name in self.arrival.generators:
            if name not in self.cheap:
                _refuse("arrival.generators", name, self.cheap)
        if self.evidence.primary not in self.arms:
            _refuse("evidence.primary", self.evidence.primary, self.arms)
        for name in (self.evidence.primary, self.feedback.labellers):
            if self.arms[name].skip:
                raise ValueError(f"arms.{name}.skip: true is not allowed: other stages need this arm")
        for name, scale in self.scales.items():
            where, listed = f"scales.{name}.study.products", scale.study.products
            if self.products.other in listed:
                raise ValueError(f"{where}: {self.products.other!r} is not allowed: settings are chosen on it")
            if len(set(listed)) < len(listed):
                raise ValueError(f"{where}: {listed} is not allowed: expected each product once")
        for key, allowed in (("arms", list(self.remade)), ("curve", self.study.arms), ("chosen", self.study.arms)):
            for name in getattr(self.study, key):
                if name not in allowed:
                    _refuse(f"study.{key}", name, allowed)

    def _links(self, name: str, entry: Section) -> dict[str, list[str]]:
        """Return, for each key of an entry that names a folder, the folders that it may name."""
        if isinstance(entry, Experiment):
            others = [f"models/gan/{other}" for other in self.experiments if other != name]
            accepted = [f"data/accepted/{made}/best" for made in self.judged]
            return {"start": [NONE, *others], "extra": [NONE, *(f"data/subsets/{s}" for s in self.subsets), *accepted]}
        if isinstance(entry, Inpaint):
            strange = ("rest", f"but_{entry.product}")  # groups without the product's own images
            return {
                "extra": [NONE, *(f"data/subsets/{s}" for s, of in self.subsets.items() if of.group in strange)],
                "start": [NONE, *(f"models/inpaint/{other}" for other, of in self.inpaints.items()
                                  if other != name and of.product == entry.product)],
            }  # fmt: skip
        if isinstance(entry, Composition):
            return self._parts(entry)
        if isinstance(entry, Arm):
            made = [e for e, of in self.all_experiments.items() if of.product == entry.product]
            parts = "", f"/{paths.UNGATED}", f"/{paths.CHANCE}"
            accepted = [f"data/accepted/{e}{part}" for e in made for part in parts]
            strange = [f"data/subsets/{s}" for s, of in self.subsets.items() if of.group == f"but_{entry.product}"]
            # Only for the product in focus do stages train the detector of the others, and label photographs.
            focus = entry.product == "focus"
            few = entry.subset == self.judge.subsets.focus and name != self.feedback.labellers
            return {
                "fakes": [NONE, "data/accepted", *accepted], "known": [NONE, *strange],
                "start": [NONE, *(["models/detector/focus/known"] if focus else [])],
                "labelled": [NONE, *(["data/labelled/focus"] if focus and few else [])],
            }  # fmt: skip
        return {}

    def _parts(self, made: Composition) -> dict[str, list[str]]:
        """Return what a composition may learn from beside its subset: other products' photographs, and models that have
        learnt from its own subset."""
        strange = [f"data/subsets/{s}" for s, of in self.subsets.items() if of.group == f"but_{made.product}"]
        models = {
            folder: [f"models/{folder}/{name}" for name, of in table.items() if of.subset == made.subset]
            for folder, table in (
                ("objects", self.object_gans), ("texture", self.textures), ("inpaint", self.inpaints),
            )
        }  # fmt: skip
        objects = models["objects"] if made.how == "paste" else []
        floors = {"paste": models["texture"] + models["inpaint"], "deconstruct": models["inpaint"]}.get(made.how, [])
        known = strange if made.how == "paste" else []
        return {"known": [NONE, *known], "objects": [NONE, *objects], "floor": [NONE, *floors]}

    @property
    def all_experiments(self) -> dict[str, Experiment | Composition]:
        """Return everything that makes candidates."""
        return self.experiments | self.compositions

    @property
    def judged(self) -> dict[str, Experiment | Composition]:
        """Return everything whose candidates are judged."""
        return self.experiments | {name: of for name, of in self.compositions.items() if of.judged}

    @property
    def cheap(self) -> dict[str, Composition]:
        """Return what makes candidates of nothing but a subset's images, at little cost for each."""
        return {
            name: of for name, of in self.compositions.items()
            if of.how in CHEAP and of.objects == of.floor == NONE
        }  # fmt: skip

    @property
    def remade(self) -> dict[str, Arm]:
        """Return the arms that can be made of any photographs of any product, because their fakes are cheap and no
        detector has to label anything first."""
        return {
            name: arm for name, arm in self.arms.items()
            if arm.labelled == NONE and (not arm.ratio or self.composition(arm) in self.cheap)
        }  # fmt: skip

    def composition(self, arm: Arm) -> str | None:
        """Return the name of what made an arm's fakes; None, if it takes all that were accepted, or has none."""
        parts = Path(arm.fakes).parts
        return parts[2] if parts[:2] == ("data", "accepted") and len(parts) > 2 else None

    def others(self, arm: Arm) -> str:
        """Return the folder of other products' photographs that an arm, or what composed its fakes, learns from; or
        none."""
        made_by = self.compositions.get(self.composition(arm) or "")
        return arm.known if arm.known != NONE or made_by is None else made_by.known

    @property
    def now(self) -> Scale:
        """Return the block of the chosen scale."""
        return self.scales[self.scale]

    def known_detector_steps(self, arm: Compared) -> int:
        """Return how long the detector of known products is trained, where an arm is as long as `arm` says."""
        return self.evidence.known_steps * arm.steps

    def group(self, product: str) -> str:
        """Return the group of images that `focus` or `other` stands for; empty, where there is no other."""
        if product not in ("focus", "other"):
            raise Problem(f"there is no product {product!r}; params.yaml has focus, other")
        return getattr(self.products, product) or ""

    def known_subset(self, product: str) -> str:
        """Return the name of the only images of a product that its judge may see."""
        return getattr(self.judge.subsets, product)


# The mappings of params.yaml from names to blocks of one kind.
TABLES = {
    "subsets": Subset, "experiments": Experiment, "textures": Texture, "object_gans": ObjectGan, "inpaints": Inpaint,
    "compositions": Composition, "augmentations": Augment, "arms": Arm, "scales": Scale,
}  # fmt: skip


def named(name: str, table: dict[str, T]) -> T:
    """Return the entry of this name of a table of params.yaml."""
    if name not in table:
        raise Problem(f"there is no {name!r}; params.yaml has {', '.join(table)}")
    return table[name]


def candidate_seed(seed: int, number: int) -> int:
    """Return the seed of a candidate: no two seeds of the project have one in common."""
    return seed * SEEDS + number


def load(path: Path | str = PARAMS) -> Settings:
    """Read and check the whole of params.yaml; raise a Problem of one line when it does not hold."""
    path = Path(path)
    try:
        raw = plain_yaml.load(path)
    except FileNotFoundError:
        raise Problem(f"{path} is not here; run from the project's folder") from None
    if not isinstance(raw, dict):
        raise Problem(f"{path}: expected keys and values, found {type(raw).__name__}")
    # One by one first, because msgspec's messages do not name the key of a mapping.
    for table, type_ in TABLES.items():
        if isinstance(entries := raw.get(table), dict):
            for name, entry in entries.items():
                _convert(entry, type_, f"{table}.{name}", path)
    return _convert(raw, Settings, "", path)


def raw(path: Path = PARAMS) -> dict[str, Any]:
    """Return what a file of DVC's holds, unchecked."""
    return YAML(typ="safe").load(path)


def written(raw: Any) -> str:
    """Return params.yaml as it is kept: what ruamel makes of it at this width, without blanks at lines' ends."""
    yaml, buffer = YAML(), io.StringIO()
    yaml.width = WIDTH
    yaml.dump(raw, buffer)
    return "\n".join(line.rstrip() for line in buffer.getvalue().split("\n"))


def _convert(value: Any, type_: type, where: str, path: Path) -> Any:
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        raise Problem(f"{path}: {explain(str(error), value, type_, where)}") from None


if __name__ == "__main__":  # before `dvc repro`, whose own message for a missing scale names no remedy
    from stages import command

    command.run(lambda: print(f"{PARAMS}: {load().scale}, all well"), __doc__)

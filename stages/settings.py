"""params.yaml as typed, validated settings, whose blocks stand in blocks.py. This is its only reader.

A wrong key, type or value ends the program before anything is written, with one line that names the key, the value
and what is allowed.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.error import YAMLError

from stages import files
from stages.problem import Problem
from stages.schema import (
    Arm,
    ArrivalRule,
    Bins,
    Compared,
    Composition,
    Count,
    Dataset,
    Deconstruction,
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
    Pasting,
    Products,
    Scale,
    Section,
    Split,
    Subset,
    Testing,
    Texture,
)
from stages.setting_errors import explain

__all__ = [  # the blocks that others speak of, too
    "Arm", "Bins", "Compared", "Composition", "Dataset", "Deconstruction", "Detector", "Evidence", "Experiment",
    "Feedback", "Fix", "Gan", "Inpaint", "Judge", "Products", "Settings", "Split", "Subset", "Testing", "load", "named",
]  # fmt: skip

PARAMS = Path("params.yaml")

T = TypeVar("T")
NOT_ARMS = ("judge", "labeller", "known", "zero_shot")  # other detectors of a product


def _refuse(where: str, value: str, allowed: Iterable[str]) -> NoReturn:
    raise ValueError(f"{where}: {value!r} is not allowed: expected one of {', '.join(allowed)}")


class Settings(Section):
    scale: Name
    seed: Count
    dataset: Dataset
    split: Split
    products: Products
    subsets: dict[Name, Subset]
    gan: Gan
    experiments: dict[Name, Experiment]
    textures: dict[Name, Texture]
    object_gans: dict[Name, ObjectGan]
    inpaints: dict[Name, Inpaint]
    pastes: dict[Name, Pasting]  # its objects placed anew
    deconstructs: dict[Name, Deconstruction]  # its images with objects taken away
    classics: dict[Name, Composition]  # whole images changed: copies, so no judge need see them
    judge: Judge
    feedback: Feedback
    evidence: Evidence
    arms: dict[Name, Arm]
    more_arms: dict[Name, Arm]  # only `make evidence` trains these
    arrival: ArrivalRule
    testing: Testing
    scales: dict[Name, Scale]

    def __post_init__(self) -> None:
        if self.scale not in self.scales:
            _refuse("scale", self.scale, self.scales)
        for name, experiment in self.experiments.items():
            self._check_links(f"experiments.{name}", name, experiment)
        for name, inpaint in self.inpaints.items():
            self._check_inpaint(f"inpaints.{name}", name, inpaint)
        taken = set(self.experiments)
        for table in ("pastes", "deconstructs", "classics"):
            for name, composition in getattr(self, table).items():
                if name in taken:
                    raise ValueError(f"{table}.{name}: another experiment has this name")
                self._check_subset(f"{table}.{name}", composition.subset)
            taken |= set(getattr(self, table))
        for table in ("textures", "object_gans"):
            for name, asked in getattr(self, table).items():
                self._check_subset(f"{table}.{name}", asked.subset)
        self._check_parts()
        for name, arm in self.all_arms.items():
            self._check_arm(f"{'arms' if name in self.arms else 'more_arms'}.{name}", name, arm)
        for name in self.arrival.generators:
            if name not in self.cheap:
                _refuse("arrival.generators", name, self.cheap)
        if self.evidence.primary not in self.arms:
            _refuse("evidence.primary", self.evidence.primary, self.arms)

    def _check_subset(self, where: str, subset: str) -> None:
        if subset not in self.subsets:
            _refuse(f"{where}.subset", subset, self.subsets)

    def _check_parts(self) -> None:
        """Whether what composing takes its parts from has learnt from the same subset."""

        def allowed(made: Composition, **tables: dict) -> list[str]:
            models = [
                f"models/{kind}/{name}" for kind, table in tables.items()
                for name, of in table.items() if of.subset == made.subset
            ]  # fmt: skip
            return [f"data/subsets/{made.subset}", *models]

        for name, paste in self.pastes.items():
            if paste.objects not in (drawn := allowed(paste, objects=self.object_gans)):
                _refuse(f"pastes.{name}.objects", paste.objects, drawn)
            if paste.floor not in (floors := allowed(paste, texture=self.textures, inpaint=self.inpaints)):
                _refuse(f"pastes.{name}.floor", paste.floor, floors)
        for name, deconstruction in self.deconstructs.items():
            if deconstruction.floor not in (floors := allowed(deconstruction, inpaint=self.inpaints)):
                _refuse(f"deconstructs.{name}.floor", deconstruction.floor, floors)

    def _check_links(self, where: str, name: str, experiment: Experiment) -> None:
        """Whether what an experiment names is there; DVC's own words for it name no key."""
        self._check_subset(where, experiment.subset)
        own = f"data/subsets/{experiment.subset}"
        parents = {own, *(f"models/gan/{other}" for other in self.experiments if other != name)}
        if experiment.start not in parents:
            raise ValueError(
                f"{where}.start: {experiment.start!r} is not allowed: expected {own} (from scratch) or models/gan/ and "
                "another experiment"
            )
        sources = {own, *(f"data/subsets/{s}" for s in self.subsets), *(f"data/accepted/{e}/best" for e in self.judged)}
        if experiment.extra not in sources:
            raise ValueError(
                f"{where}.extra: {experiment.extra!r} is not allowed: expected {own} (none), data/subsets/ and a "
                "subset, or data/accepted/<experiment>/best"
            )

    def _check_inpaint(self, where: str, name: str, inpaint: Inpaint) -> None:
        self._check_subset(where, inpaint.subset)
        own = f"data/subsets/{inpaint.subset}"
        strange = ("rest", f"but_{inpaint.product}")  # groups without the product's own images
        extra = [f"data/subsets/{subset}" for subset, of in self.subsets.items() if of.group in strange]
        start = [
            f"models/inpaint/{n}" for n, of in self.inpaints.items() if n != name and of.product == inpaint.product
        ]
        for key, allowed in (("extra", [own, *extra]), ("start", [own, *start])):
            if (value := getattr(inpaint, key)) not in allowed:
                _refuse(f"{where}.{key}", value, allowed)

    def _check_arm(self, where: str, name: str, arm: Arm) -> None:
        self._check_subset(where, arm.subset)
        if (name in self.arms and name in self.more_arms) or name in NOT_ARMS:
            raise ValueError(f"{where}: another arm or detector has this name")
        own = f"data/subsets/{arm.subset}"
        made = [e for e, of in self.all_experiments.items() if of.product == arm.product]
        fakes = [
            own,
            "data/accepted",
            *(f"data/accepted/{e}{part}" for e in made for part in ("", "/ungated", "/random")),
        ]
        known = [own, *(f"data/subsets/{s}" for s, of in self.subsets.items() if of.group == f"but_{arm.product}")]
        start = [own, f"models/detector/{arm.product}/known"]
        for key, allowed in (("fakes", fakes), ("known", known), ("start", start)):
            if (value := getattr(arm, key)) not in allowed:
                _refuse(f"{where}.{key}", value, allowed)
        if (arm.fakes == own) != (arm.ratio == 0):
            raise ValueError(f"{where}.ratio: {arm.ratio} is not allowed: expected 0 without fakes, more with them")

    @property
    def all_experiments(self) -> dict[str, Experiment | Composition]:
        """Everything that makes candidates."""
        return self.judged | self.classics

    @property
    def cheap(self) -> dict[str, Composition]:
        """What makes candidates of a subset's images alone, without any model."""
        plain = {n: of for n, of in self.pastes.items() if {of.objects, of.floor} == {f"data/subsets/{of.subset}"}}
        return plain | self.classics

    @property
    def composed(self) -> dict[str, Composition]:
        """Everything whose candidates come with exact labels."""
        return self.pastes | self.deconstructs | self.classics

    @property
    def all_arms(self) -> dict[str, Arm]:
        return self.arms | self.more_arms

    @property
    def now(self) -> Scale:
        """The block of the chosen scale."""
        return self.scales[self.scale]

    def experiment(self, name: str) -> Experiment:
        return named(name, self.experiments)

    def group(self, product: str) -> str:
        """The group of images that `focus` or `other` stands for."""
        if product not in ("focus", "other"):
            raise Problem(f"there is no product {product!r}; params.yaml has focus, other")
        return getattr(self.products, product)

    def known_subset(self, product: str) -> str:
        """The only images of a product that its judge may see."""
        return getattr(self.judge.subsets, product)

    @property
    def judged(self) -> dict[str, Experiment | Composition]:
        """Everything whose candidates are judged."""
        return self.experiments | self.pastes | self.deconstructs


# The mappings of params.yaml from names to blocks of one kind.
TABLES = {
    "subsets": Subset, "experiments": Experiment, "textures": Texture, "object_gans": ObjectGan, "inpaints": Inpaint,
    "pastes": Pasting, "deconstructs": Deconstruction, "classics": Composition,
    "arms": Arm, "more_arms": Arm, "scales": Scale,
}  # fmt: skip


def named(name: str, table: dict[str, T]) -> T:
    """One of a table of experiments."""
    if name not in table:
        raise Problem(f"there is no experiment {name!r}; params.yaml has {', '.join(table)}")
    return table[name]


def load(path: Path | str = PARAMS) -> Settings:
    """Read and check the whole of params.yaml; raise a Problem of one line when it does not hold."""
    path = Path(path)
    try:
        raw = YAML(typ="safe", pure=True).load(path)  # YAML 1.2, as DVC reads it: 2e-4 is a number, off a word
    except FileNotFoundError:
        raise Problem(f"{path} is not here; run from the project's folder") from None
    except YAMLError as error:
        raise Problem(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(raw, dict):
        raise Problem(f"{path}: expected keys and values, found {type(raw).__name__}")
    # One by one first, because msgspec's messages do not name the key of a mapping.
    for table, type_ in TABLES.items():
        if isinstance(entries := raw.get(table), dict):
            for name, entry in entries.items():
                _convert(entry, type_, f"{table}.{name}", path)
    return _convert(raw, Settings, "", path)


def register(path: Path, product: str) -> None:
    """Enter a product that has arrived: part of the dataset, and in focus. Comments and order stay as they are."""
    yaml = YAML()
    raw = yaml.load(path)
    if product not in raw["dataset"]["arrived"]:
        raw["dataset"]["arrived"].append(product)
    if raw["dataset"]["groups"]:
        raw["dataset"]["groups"][product] = [f"{product}/*"]
    raw["products"]["focus"] = product
    _write(yaml, raw, path)


def unregister(path: Path, product: str, focus: str) -> None:
    """Take a product out again, as if it had not come; `focus` is what is in focus then, if it was the product."""
    yaml = YAML()
    raw = yaml.load(path)
    dataset = raw["dataset"]
    dataset["arrived"].remove(product)
    if not dataset["arrived"]:  # a list that is emptied in place is written as something that is no YAML
        dataset["arrived"] = CommentedSeq()
        dataset["arrived"].fa.set_flow_style()
        if comment := dataset.ca.items.get("arrived"):
            comment[3] = None  # it is the line's, not the first entry's
    dataset["groups"].pop(product, None)
    if raw["products"]["focus"] == product:
        raw["products"]["focus"] = focus
    _write(yaml, raw, path)


def focus(text: str) -> str:
    """What is in focus in a params.yaml of another commit, whose other keys may be another version's."""
    return YAML(typ="safe", pure=True).load(text)["products"]["focus"]


def _write(yaml: YAML, raw: Any, path: Path) -> None:
    buffer = io.StringIO()
    yaml.dump(raw, buffer)
    files.write(path, buffer.getvalue())


def _convert(value: Any, type_: type, where: str, path: Path) -> Any:
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        raise Problem(f"{path}: {explain(str(error), value, type_, where)}") from None


if __name__ == "__main__":  # before `dvc repro`, whose own message for a missing scale names no remedy
    from stages import command

    command.run(lambda: print(f"{PARAMS}: {load().scale}, all well"), __doc__)

"""params.yaml as typed, validated settings. This is its only reader.

A wrong key, type or value ends the program before anything is written, with one line that names the key, the value
and what is allowed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages.problem import Problem

PARAMS = Path("params.yaml")

Name = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]*$")]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0, le=1)]


class Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One block of params.yaml. Every key is written out there, so nothing here has a default."""


class Fix(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One declared correction of the dataset; it names an image or an annotation, or, for `clip`, neither: all."""

    do: Literal["reclassify", "clip", "drop"]
    image: int | None = None  # image id: the image, and all its annotations
    annotation: int | None = None  # annotation id
    to: int | None = None  # category id, for reclassify

    def __post_init__(self) -> None:
        named = (self.image is not None) + (self.annotation is not None)
        if named > 1 or (named == 0 and self.do != "clip"):
            raise ValueError(f"Expected one of image, annotation to {self.do}")
        if (self.to is not None) != (self.do == "reclassify"):
            raise ValueError("Expected a category id in `to` for reclassify, and only there")


class Dataset(Section):
    source: Literal["bins", "coco"]
    images: str
    annotations: str
    groups: dict[Name, list[str]]  # group → file-name patterns; empty: the first folder of the file name
    fixes: list[Fix]
    few_instances: Count  # a class with fewer is reported as under-represented


class Split(Section):
    train: Share
    val: Share
    test: Share
    hash_distance: Annotated[int, Meta(ge=0, le=32)]  # bits of 64
    tile_distance: Share  # of full brightness

    def __post_init__(self) -> None:
        if abs(self.train + self.val + self.test - 1) > 1e-9:
            raise ValueError("Expected train + val + test = 1")


class Subset(Section):
    group: Name
    count: Positive | Literal["all"]
    prefer: Literal["separated", "random"]


class Bins(Section):
    width: Annotated[int, Meta(ge=64, le=4096)]
    height: Annotated[int, Meta(ge=64, le=4096)]
    images: dict[Name, Count]  # group → photographs
    extra_test: dict[Name, Count]  # group → photographs more that are for testing only


class Yolo(Section):
    size: Annotated[int, Meta(ge=32, le=4096)]
    labels: Literal["polygons", "boxes"]


class Augment(Section):
    """Ultralytics' own augmentation, on the fly; the names are its names."""

    hsv_h: Share
    hsv_s: Share
    hsv_v: Share
    degrees: Annotated[float, Meta(ge=0, le=180)]
    translate: Share
    scale: Share
    fliplr: Share
    flipud: Share
    mosaic: Share


class Detector(Section):
    model: Literal["yolov5n", "yolov5s", "yolov5m", "yolov5l", "yolov5x"]
    weights: str | None  # a .pt to start from; null: from scratch
    imgsz: Annotated[int, Meta(ge=32, le=2048, multiple_of=32)]
    epochs: Positive
    least_steps: Count  # few images make short epochs: then there are as many as this takes
    batch: Positive
    lr: Annotated[float, Meta(gt=0, le=1)]
    validations: Positive  # how often during training, evenly spread; the last epoch is always validated
    augment: Augment


class Testing(Section):
    confidence: Share  # a detection below it is not `found`
    iou: Share  # … nor one that overlaps its object less
    bootstrap: Positive  # resamplings for the interval


class Scale(Section):
    bins: Bins
    yolo: Yolo
    detector: Detector


class Settings(Section):
    scale: Name
    seed: Count
    dataset: Dataset
    split: Split
    subsets: dict[Name, Subset]
    testing: Testing
    scales: dict[Name, Scale]

    def __post_init__(self) -> None:
        if self.scale not in self.scales:
            raise ValueError(f"scale: {self.scale!r} is not allowed: expected one of {', '.join(self.scales)}")

    @property
    def now(self) -> Scale:
        """The block of the chosen scale."""
        return self.scales[self.scale]


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
    for table, type_ in (("subsets", Subset), ("scales", Scale)):
        if isinstance(entries := raw.get(table), dict):
            for name, entry in entries.items():
                _convert(entry, type_, f"{table}.{name}", path)
    return _convert(raw, Settings, "", path)


def _convert(value: Any, type_: type, where: str, path: Path) -> Any:
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        raise Problem(f"{path}: {_explain(str(error), value, type_, where)}") from None


def _explain(message: str, value: Any, type_: type, where: str) -> str:
    """msgspec's message as `key: value: what is allowed`."""
    expected, _, inner = message.partition(" - at `")
    keys = re.findall(r"[^.\[\]`$]+", inner.removeprefix("key in ").replace("[...]", ""))
    for key in keys:
        value = value[int(key)] if isinstance(value, list) else value.get(key, value)
    where = ".".join([where, *keys] if where else keys)
    if missing := re.search(r"missing required field `(.+?)`", expected):
        return f"{'.'.join(filter(None, [where, missing[1]]))}: this key is missing"
    if unknown := re.search(r"unknown field `(.+?)`", expected):
        known = ", ".join(_fields(type_, keys))
        return f"{'.'.join(filter(None, [where, unknown[1]]))}: unknown key; allowed here: {known}"
    if isinstance(value, dict) and "`" not in expected:  # a rule between keys of one block
        return f"{where + ': ' if where else ''}{_short(value) if where else ''}: {expected}".lstrip(": ")
    return f"{where}: {_short(value)} is not allowed: {expected[0].lower() + expected[1:].replace('`', '')}"


def _fields(type_: Any, keys: list[str]) -> list[str]:
    for key in keys:
        if isinstance(type_, type) and issubclass(type_, Struct):
            type_ = {f.name: f.type for f in msgspec.structs.fields(type_)}.get(key, type_)
        if getattr(type_, "__origin__", None) is list:
            type_ = type_.__args__[0]
    return [f.name for f in msgspec.structs.fields(type_)]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


if __name__ == "__main__":  # before `dvc repro`, whose own message for a missing scale names no remedy
    from stages import command

    command.run(lambda: print(f"{PARAMS}: {load().scale}, all well"), __doc__)

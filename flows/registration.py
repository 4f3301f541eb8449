"""What an arrival changes in params.yaml, and what it takes to undo that. Comments and order stay as they are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq

from stages import files, settings
from stages.schema import NONE


@dataclass(frozen=True)
class Alone:
    """How a product is looked at that has no other beside it, and so nobody else's settings to keep."""

    imgsz: int  # pixels of pictures' longer side that show its objects well …
    crop: int  # … and of the squares that are cut out of them to train on
    tested: bool  # whether it brings test images; without them one seed does, because folds examine it


def register(path: Path, product: str, real: bool = False, alone: Alone | None = None) -> None:
    """Enter a product that has arrived: part of the dataset, and in focus.

    A real one takes the place of the built-in world, and is learnt from all its photographs; where no other real one is
    there, pictures are looked at as `alone` says.
    """
    raw = YAML().load(path)
    dataset, products = raw["dataset"], raw["products"]
    if real:
        raw["subsets"][raw["judge"]["subsets"]["focus"]]["count"] = "all"
    if real and alone and dataset["source"] in ("bins", "arrived") and not set(dataset["arrived"]) - {product}:
        look_at(raw["scales"][raw["scale"]], alone)
    if real and dataset["source"] == "bins":
        dataset |= {"source": "arrived", "images": NONE, "annotations": NONE, "fixes": []}
        products |= {"other": products["other"] if products["other"] in dataset["arrived"] else None, "apart": []}
    if product not in raw["dataset"]["arrived"]:
        raw["dataset"]["arrived"].append(product)
        if raw["dataset"]["groups"]:
            raw["dataset"]["groups"].insert(0, product, [f"{product}/*"])  # before any that is for all the rest
    raw["products"]["focus"] = product
    files.write(path, settings.written(raw))


def look_at(scale: dict[str, Any], alone: Alone) -> None:
    """Let detectors see pictures as large as a product's objects need. A judge, which places no boxes, looks at
    three quarters of that, and compares half of it."""
    if alone.imgsz > scale["evidence"]["imgsz"]:
        scale["evidence"] |= {"imgsz": alone.imgsz, "crop": alone.crop}
        seen, compared = (32 * math.ceil(share * alone.imgsz / 32) for share in (0.75, 0.5))
        scale["judge"] |= {"imgsz": seen, "crop": alone.crop, "size": max(scale["judge"]["size"], compared)}
    if not alone.tested:
        scale["evidence"]["seeds"] = 1


def unregister(path: Path, product: str, before: str) -> None:
    """Take a product out again, as if it had not come; `before` is the params.yaml of when it had not. What was in
    focus there is again, if the product was; and if it was the last real one, the built-in world comes back."""
    raw, old = YAML().load(path), YAML(typ="safe", pure=True).load(before)
    dataset = raw["dataset"]
    dataset["arrived"].remove(product)
    if not dataset["arrived"]:  # a list that is emptied in place is written as something that is no YAML
        dataset["arrived"] = CommentedSeq()
        dataset["arrived"].fa.set_flow_style()
        if comment := dataset.ca.items.get("arrived"):
            comment[3] = None  # it is the line's, not the first entry's
    dataset["groups"].pop(product, None)
    if raw["products"]["focus"] == product:
        raw["products"]["focus"] = old["products"]["focus"]
    if dataset["source"] == "arrived" and not dataset["arrived"]:
        _restore(raw, old)
    files.write(path, settings.written(raw))


def _restore(raw: Any, old: dict[str, Any]) -> None:
    """Set back what real products have set (`register`)."""
    here, there = raw["scales"][raw["scale"]], old["scales"].get(raw["scale"], {})
    few = raw["judge"]["subsets"]["focus"]
    for block, was, names in (
        (raw["dataset"], old["dataset"], ("source", "images", "annotations", "fixes")),
        (raw["products"], old["products"], ("other", "apart")),
        (raw["subsets"][few], old["subsets"].get(few, {}), ("count",)),
        (here["evidence"], there.get("evidence", {}), ("imgsz", "crop", "seeds")),
        (here["judge"], there.get("judge", {}), ("imgsz", "crop", "size")),
    ):
        block |= {name: was[name] for name in names if name in was}


def focus(text: str) -> str:
    """Return what is in focus in a params.yaml of another commit, whose other keys may be another version's."""
    return YAML(typ="safe", pure=True).load(text)["products"]["focus"]

"""Take the bin apart (data/candidates/<composition>): from a photograph of many objects, pictures with ever fewer.

The topmost object goes first, a filler makes what lay under it, and so on until one is left. Other orders give more, as
long as nothing goes on which something lies. What remains keeps its pixels, so its labels are exact. An object that was
hidden in part is a fragment when it is uncovered, and no filler knows the rest of it: it goes, too, before the next
picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from stages import command, settings
from stages.compose import candidates, floors
from stages.compose.candidates import Made, Row
from stages.extract import cutouts, empty_bin, object_mask, occlusion
from stages.extract.cutouts import SegmentedImage
from stages.inpaint.classical import Filler
from stages.problem import Problem
from stages.settings import Composition

FRAGMENT = 0.1  # of an object may lack when what hid it is gone
ORDERS = 60  # that are tried beside the topmost first
FRINGE = 3  # pixels around an object that its outline may have missed
SOFT = 0.5  # of the reach of its shadow, over which what is filled in becomes what was there


@dataclass(frozen=True)
class State:
    """An image of which some objects are gone, in this order."""

    image: int
    gone: tuple[int, ...]


def rows(name: str, asked: Composition, subset: Path, count: int, seed: int) -> list[Row]:
    """Return a row for each candidate: an image, and which of its objects are gone. What there is is printed."""
    found, left_out = cutouts.scenes(subset)
    chosen = list(islice(states(found, seed), count))
    if not chosen:
        raise Problem(f"{subset}: no image shows two objects, so taking one away leaves nothing; "
                      f"remove compositions.{name}")  # fmt: skip
    print(report(found, left_out, chosen))
    return [
        candidates.numbered(name, asked, subset, number, seed)
        | {"image": found[state.image].name, "gone": " ".join(map(str, state.gone))}
        for number, state in enumerate(chosen)
    ]


def states(found: list[SegmentedImage], seed: int) -> Iterator[State]:
    """Yield the next state of each image in turn, some objects gone and some not, until none has any left."""
    usual = occlusion.usual_areas(found)
    waiting = [_states(k, scene, usual, np.random.default_rng([seed, k])) for k, scene in enumerate(found)]
    while waiting:
        for one in list(waiting):
            if (state := next(one, None)) is None:
                waiting.remove(one)
            else:
                yield state


def _states(image: int, scene: SegmentedImage, usual: dict[int, float], rng: np.random.Generator) -> Iterator[State]:
    """Yield the states of one image: the topmost object first; then, in orders that chance decides, what has not been
    there yet."""
    on, lacking, known = occlusion.over(scene, usual), occlusion.lacks(scene, usual) > FRAGMENT, set()
    by_chance = (_order(on, lambda free: free[int(rng.integers(len(free)))]) for _ in range(ORDERS))
    for order in (topmost_first(scene, usual), *by_chance):
        for count in range(1, len(order)):
            gone, left = order[:count], list(order[count:])
            fragments = on[list(gone)].any(0) & lacking
            if frozenset(gone) not in known and not fragments[left].any():
                known.add(frozenset(gone))
                yield State(image, gone)


def topmost_first(scene: SegmentedImage, usual: dict[int, float]) -> tuple[int, ...]:
    """Return an image's objects in the order in which they go: of those that are free always the most whole one."""
    missing = occlusion.lacks(scene, usual)
    return _order(occlusion.over(scene, usual), lambda free: min(free, key=lambda k: missing[k]))


def _order(on: np.ndarray, choose: Callable[[list[int]], int]) -> tuple[int, ...]:
    left, gone = list(range(len(on))), ()
    while left:
        taken = choose(occlusion.free(on, left))
        left.remove(taken)
        gone += (taken,)
    return gone


def make(row: Row) -> Made:
    """Return the candidate that a row of the manifest speaks of."""
    by_name, fill = _stock(candidates.subset_of(row), str(row["floor"]))
    gone = tuple(int(k) for k in str(row["gone"]).split())
    *_, last = taken_apart(by_name[str(row["image"])], gone, fill)
    return last


@lru_cache(maxsize=2)
def _stock(subset: Path, floor: str) -> tuple[dict[str, SegmentedImage], Filler]:
    found, _ = cutouts.scenes(subset)
    return {scene.name: scene for scene in found}, floors.filler(settings.named_folder(floor), found)


def taken_apart(scene: SegmentedImage, gone: tuple[int, ...], fill: Filler) -> Iterator[Made]:
    """Yield the picture after each of these objects is taken, in this order, with category and mask of all that
    remain."""
    pixels, left = scene.pixels, list(range(len(scene.masks)))
    for k in gone:
        left.remove(k)
        pixels = _without(pixels, scene.place(k), np.any(scene.masks[left], axis=0), fill)
        yield pixels, [(scene.categories[k], scene.masks[k]) for k in left]


def _without(pixels: np.ndarray, place: np.ndarray, kept: np.ndarray, fill: Filler) -> np.ndarray:
    """Return a picture with an object's place and shadow filled; what is kept stays as it is, up to its own blurred
    edge."""
    reach = round(empty_bin.MARGIN * pixels.shape[1])
    core = object_mask.grown(place, FRINGE) & ~kept
    hole = core | (object_mask.grown(place, reach) & ~object_mask.grown(kept, FRINGE))
    share = (cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 5) / (SOFT * reach)).clip(0, 1)
    share[core] = 1
    filled = fill(pixels, hole)
    return (pixels + share[..., None] * (filled.astype(np.float32) - pixels)).round().astype(np.uint8)


def report(found: list[SegmentedImage], left_out: dict[str, int], chosen: list[State]) -> str:
    """Return what there is to take apart, for whoever reads the log."""
    cut = sum(how == "grabcut" for scene in found for how in scene.cut)
    return (f"{len({state.image for state in chosen})} of {len(found)} images give {len(chosen)} pictures; "
            f"{cut} of {sum(len(scene.masks) for scene in found)} outlines by GrabCut; "
            f"left out: {dict(left_out) or 'none'}")  # fmt: skip


if __name__ == "__main__":
    command.run(
        lambda composition: candidates.compose(composition, rows, make),
        __doc__, composition="which of params.yaml's compositions",
    )  # fmt: skip

"""Composed pictures beside real ones (docs/composed.jpg), and whether their objects lie as real ones do.

Composed of ten random training photographs of the product in focus, and of what other products' photographs tell.
Beside them are the rest of its training photographs, which the composer has not seen.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from benchmarks.conditions import record
from stages import command, drawing, paths, progress, settings
from stages.compose import paste
from stages.dataset import coco, photo
from stages.dataset import subset as subsets
from stages.evidence import held_out, remade_arm
from stages.extract import cutouts, habits
from stages.extract.cutouts import SegmentedImage
from stages.settings import Subset

COUNT, COMPOSED, SHOWN, COLUMNS = 10, 200, 10, 5
WIDTH = 240  # pixels of each picture on the sheet


def main() -> None:
    params, dataset = settings.load(), coco.read(paths.ANNOTATIONS)
    group = params.group("focus")
    others = [name for name in coco.grouped(dataset, params.dataset.groups) if name != group]
    with tempfile.TemporaryDirectory() as name:
        folders = {
            part: remade_arm.some(
                dataset, held_out.there(groups, params, "train"), paths.SOURCE_IMAGES, Path(name) / part
            )
            for part, groups in (("all", [group]), ("known", others))
        }
        whole = coco.read(folders["all"] / "annotations.json")
        rule = Subset(group=group, count=COUNT, prefer="random", fewer=False)
        ten = [id_ for id_, _ in subsets.pick(whole, rule, params.seed, group)]
        remade_arm.some(whole, ten, folders["all"] / "images", Path(name) / "ten")
        stock = paste.stock(Path(name) / "ten", folders["known"], None, None)
        made = [paste.compose(stock, seed) for seed in progress.bar(range(COMPOSED), what="composing", unit="picture")]
        real, few = (cutouts.scenes(Path(name) / part)[0] for part in ("all", "ten"))
    lying = {
        "composed": [SegmentedImage("", pixels, np.array([mask for _, mask in of]), [c for c, _ in of], [])
                     for pixels, of in made if of],
        "real": real, "the_ten": few,
    }  # fmt: skip
    figures = {f"{name}_{key}": value for name, of in lying.items() for key, value in described(of).items()}
    strange = [scene.pixels for scene in real if scene.name not in {one.name for one in few}]
    pictures = [*(pixels for pixels, _ in made[:SHOWN]), *strange[:SHOWN]]
    photo.save(Path("docs/composed.jpg"), drawing.sheet([photo.fit(one, WIDTH) for one in pictures], COLUMNS))
    record("composed_pictures", figures, ("numpy", "opencv-python-headless"))


def described(found: list[SegmentedImage]) -> dict[str, float]:
    """Return how objects lie in pictures."""
    of = habits.of(found)
    return {
        "objects": round(float(np.mean(of.counts)), 2), "touching": round(of.touching, 3),
        "hidden": round(float(np.mean(of.hidden)), 3), "least_seen": round(of.least, 3),
    }  # fmt: skip


if __name__ == "__main__":
    command.run(main, __doc__)

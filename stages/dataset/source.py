"""The source dataset in one place: drawn by the bins world, or copied from the COCO dataset that params.yaml names.

Products that have arrived since are part of it, or all of it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from stages import command, files, paths, progress, settings
from stages.dataset import arrival, coco
from stages.dataset.bins import world
from stages.problem import Problem


def main() -> None:
    params = settings.load()
    with files.replacing(paths.SOURCE) as folder:
        if params.dataset.source == "bins":
            world.generate(params.now.bins, params.seed, folder)
        elif params.dataset.source == "coco":
            copy(Path(params.dataset.images), Path(params.dataset.annotations), folder)
        arrival.join(folder, paths.PRODUCTS, params.dataset.arrived)


def copy(images: Path, annotations: Path, folder: Path) -> None:
    """Copy a COCO dataset's annotations, and the images that they name, into `folder`; refuse what is missing."""
    dataset = coco.read(annotations)
    arrival.check_boxes(dataset, annotations)
    if not images.is_dir():
        raise Problem(f"dataset.images: {images} is not a folder")
    for image in dataset.images:
        if not (images / image.file_name).is_file():
            raise Problem(f"{annotations}: image {image.id}: {images / image.file_name} is missing")
    for image in progress.bar(dataset.images, what="copying images", unit="image"):
        target = folder / "images" / files.relative_name(image.file_name, f"image {image.id}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(images / image.file_name, target)
    shutil.copyfile(annotations, folder / "annotations.json")


if __name__ == "__main__":
    command.run(main, __doc__)

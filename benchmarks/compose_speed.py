"""How many pictures of 640×360 a second are composed from ten images, drawn only and written as PNG, on all cores.

The ten images are the bins', drawn here, and so are another product's, from which is learnt how objects lie; both ways
take turns, so that both meet the same noise.
"""

from __future__ import annotations

import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import msgspec

from benchmarks.conditions import record
from stages import provenance, settings
from stages.compose import candidates, paste
from stages.dataset import coco, photo
from stages.dataset.bins import world

PICTURES, ROUNDS = 200, 3


def main() -> None:
    cores = provenance.cores()
    with tempfile.TemporaryDirectory() as name:
        params, subset, known = settings.load(), Path(name) / "ten", Path(name) / "known"
        bins = params.scales["demo"].bins
        for folder, images in ((subset, {"tube_mint": 10}), (known, {"can_cobalt": 60})):
            folder.mkdir()
            world.generate(msgspec.structs.replace(bins, images=images, extra_test={}, shifted=0), 0, folder)
        asked = msgspec.structs.replace(params.compositions["paste"], known=str(known))
        rows = paste.rows("paste", asked, subset, PICTURES, 0)
        with ProcessPoolExecutor(cores, get_context("forkserver"), candidates.one_core) as pool:
            list(pool.map(drawn, rows[: 4 * cores], chunksize=1))  # each process makes its stock first
            spent = {drawn: 0.0, written: 0.0}
            for _ in range(ROUNDS):
                for work in spent:
                    began = time.perf_counter()
                    list(pool.map(work, rows, chunksize=5))
                    spent[work] += time.perf_counter() - began
        images = len(coco.read(subset / "annotations.json").images)
    record("compose_speed", {
        "images": images, "width": bins.width, "height": bins.height,
        "drawn_a_second": round(ROUNDS * PICTURES / spent[drawn], 1),
        "drawn_and_written_a_second": round(ROUNDS * PICTURES / spent[written], 1),
    }, ("numpy", "opencv-python-headless", "pillow"))  # fmt: skip


def drawn(row: dict) -> None:
    paste.make(row)


def written(row: dict) -> None:
    photo.save(candidates.subset_of(row) / f"{os.getpid()}.png", paste.make(row)[0])


if __name__ == "__main__":
    main()

"""The evidence's main arms on another world: other products, another format, another seed; nothing was chosen on it.

Draws `spray_lime` at 480×360 with seed 7, 290 photographs, and treats them as somebody's own dataset
(`benchmarks.real_photographs`).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import real_photographs
from stages import command
from stages.dataset.bins import world
from stages.schema import Bins

SEED = 7
BINS = Bins(width=480, height=360, images={"spray_lime": 290}, extra_test={}, shifted=0)
STEPS, DRAWS = 1200, 2


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "second_world"
        folder.mkdir()
        world.generate(BINS, SEED, folder)
        real_photographs.main(str(folder), steps=STEPS, draws=DRAWS)


if __name__ == "__main__":
    command.run(main, __doc__)

"""Train a product's second detector (models/detector/<product>/labeller), which has to agree before a label counts.

It is the judge's in everything but its seed.
"""

from __future__ import annotations

from stages import command, paths, settings
from stages.judge import train


def main(product: str) -> None:
    params = settings.load()
    train.train(params, product, params.seed + 1, paths.DETECTORS / product / "labeller")


if __name__ == "__main__":
    command.run(main, __doc__, product="focus or other")

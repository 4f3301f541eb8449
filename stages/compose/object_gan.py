"""Train one of params.yaml's object GANs (models/objects/<name>), and show what it draws.

A killed run is continued when it is started again, to the same weights; with TENFOLD_FRESH=1 it starts afresh.
"""

from __future__ import annotations

from itertools import islice

import cv2
import numpy as np

from stages import command, paths, settings
from stages.compose import objects
from stages.dataset import photo
from stages.gan import other
from stages.gan.players import Players
from stages.gan.recipe import Recipe
from stages.settings import Settings

COLUMNS, ROWS = 10, 3  # of drawings in the sheet
JUDGED = 100  # drawings, of which is told how many are whole


class Cutters(Players):
    """The thesis's networks, on pictures with a mask."""

    channels = objects.CHANNELS


def main(name: str) -> None:
    params = settings.load()
    asked = settings.named(name, params.object_gans)
    subset, model = paths.SUBSETS / asked.subset, paths.OBJECTS / name
    known = objects.examples(subset, params.now.objects.size)
    print(f"{subset}: {len(known.squares)} whole objects, turned upright")
    other.train(
        model, Cutters, known.squares, recipe_of(params, name), params.seed, params.now.gan.every,
        paths.CHECKPOINTS / "objects" / params.scale / name, [subset], known.facts,
    )  # fmt: skip
    drawn = list(islice(objects.drawings(model, params.seed), JUDGED))
    whole = sum(objects.cut(square, known.facts) is not None for square in drawn)
    print(f"{model}: {whole} of {JUDGED} drawings are whole objects")
    photo.save(paths.PLOTS / "objects" / f"{name}.jpg", sheet(known.squares, np.stack(drawn), known.facts["frame"]))


def recipe_of(params: Settings, name: str) -> Recipe:
    """What an object GAN asks for, within what the scale allows."""
    asked, scale, gan = params.object_gans[name], params.now.objects, params.now.gan
    return Recipe(
        size=scale.size,
        dim=gan.dim,
        z=gan.z,
        batch=min(asked.batch, gan.most_batch),
        steps=min(asked.steps, scale.most_steps),
        average=asked.average,
        loss="wgan",
        penalty="wgan-gp",
        critic_steps=gan.critic_steps,
        **other.shared(params),
    )


def sheet(known: np.ndarray, drawn: np.ndarray, frame: list[int]) -> np.ndarray:
    """A row of examples, and under it rows of what was drawn; under each row its masks."""
    squares = [*known[:COLUMNS], *drawn[: COLUMNS * ROWS]]
    tiles = [cv2.resize(square, tuple(frame), interpolation=cv2.INTER_CUBIC) for square in squares]
    rows = []
    for k in range(0, len(tiles), COLUMNS):
        row = np.concatenate([*tiles[k : k + COLUMNS], *[np.full_like(tiles[0], 255)] * (k + COLUMNS - len(tiles))], 1)
        rows += [row[..., :3], row[..., 3:].repeat(3, axis=2)]
    return np.concatenate(rows)


if __name__ == "__main__":
    command.run(main, __doc__, name="which of params.yaml's object GANs")

"""Train one of params.yaml's object GANs (models/objects/<name>), and show what it draws.

A killed run is continued when it is started again, to the same weights; with TENFOLD_FRESH=1 it starts afresh.
"""

from __future__ import annotations

from itertools import islice

import cv2
import numpy as np

from stages import command, paths, settings
from stages.dataset import photo
from stages.gan.recipe import GanRecipe, shared
from stages.settings import Settings

COLUMNS, ROWS = 10, 3  # of drawings in the sheet
JUDGED = 100  # drawings, of which is told how many are whole


def main(name: str) -> None:
    params = settings.load()
    asked = settings.named(name, params.object_gans)
    # Torch takes seconds to import: a wrong setting is told before.
    from stages.compose import generated_objects
    from stages.compose.masked_gan import MaskedGan
    from stages.gan import variants

    subset, model = paths.SUBSETS / asked.subset, paths.OBJECTS / name
    known = generated_objects.examples(subset, params.now.objects.size)
    print(f"{subset}: {len(known.squares)} whole objects, turned upright")
    run = variants.training(params, model, MaskedGan, known.squares, recipe_of(params, name))
    variants.train(model, run, [subset], known.facts)
    drawn = list(islice(generated_objects.drawings(model, params.seed), JUDGED))
    whole = sum(generated_objects.cut(square, known.facts) is not None for square in drawn)
    print(f"{model}: {whole} of {JUDGED} drawings are whole objects")
    photo.save(paths.PLOTS / "objects" / f"{name}.jpg", sheet(known.squares, np.stack(drawn), known.facts["frame"]))


def recipe_of(params: Settings, name: str) -> GanRecipe:
    """Return how an object GAN is trained: what it asks for, within what the scale allows."""
    asked, scale, gan = params.object_gans[name], params.now.objects, params.now.gan
    return GanRecipe(
        size=scale.size,
        dim=gan.dim,
        z=gan.z,
        batch=min(asked.batch, gan.most_batch),
        steps=min(asked.steps, scale.most_steps),
        average=asked.average,
        loss="wgan",
        penalty="wgan-gp",
        critic_steps=gan.critic_steps,
        **shared(params),
    )


def sheet(known: np.ndarray, drawn: np.ndarray, frame: list[int]) -> np.ndarray:
    """Return a row of examples, and under it rows of what was drawn; under each row its masks."""
    squares = [*known[:COLUMNS], *drawn[: COLUMNS * ROWS]]
    tiles = [cv2.resize(square, tuple(frame), interpolation=cv2.INTER_CUBIC) for square in squares]
    rows = []
    for k in range(0, len(tiles), COLUMNS):
        row = np.concatenate([*tiles[k : k + COLUMNS], *[np.full_like(tiles[0], 255)] * (k + COLUMNS - len(tiles))], 1)
        rows += [row[..., :3], row[..., 3:].repeat(3, axis=2)]
    return np.concatenate(rows)


if __name__ == "__main__":
    command.run(main, __doc__, name="which of params.yaml's object GANs")

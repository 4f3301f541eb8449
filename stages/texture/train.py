"""Train one of params.yaml's textures (models/texture/<name>), and show what it paints.

A killed run is continued when it is started again, to the same weights; with TENFOLD_FRESH=1 it starts afresh.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from stages import command, paths, settings
from stages.dataset import photo
from stages.texture import sources
from stages.texture.contrast import Contrast
from stages.texture.recipe import recipe_of

if TYPE_CHECKING:
    from stages.texture.paint import Paint

GAP = 8  # pixels between the parts of the picture that shows a texture


def main(name: str) -> None:
    params = settings.load()
    asked, scale = settings.named(name, params.textures), params.now.texture
    # Torch takes seconds to import: a wrong setting is told before.
    from stages.gan import variants
    from stages.texture.paint import painter
    from stages.texture.spatial_gan import SpatialGan

    subset, model = paths.SUBSETS / asked.subset, paths.TEXTURES / name
    squares = sources.squares(subset, asked.sources, scale.size, scale.squares, params.seed)
    contrast = Contrast.of(squares)
    run = variants.training(params, model, SpatialGan, contrast.stretched(squares), recipe_of(params, name))
    variants.train(model, run, [subset], {"sources": asked.sources, "contrast": asdict(contrast)})
    photo.save(paths.PLOTS / "texture" / f"{name}.jpg", shown(squares, painter(model), params.seed))


def shown(squares: np.ndarray, paint: Paint, seed: int) -> np.ndarray:
    """Return a picture: nine squares that were learnt from, one as large as those, and a small one that tiles, nine
    times."""
    size = squares.shape[1]
    some = squares[np.linspace(0, len(squares) - 1, 9).astype(int)]
    real = np.concatenate([np.concatenate(some[k : k + 3], 1) for k in (0, 3, 6)])
    gap = np.full((3 * size, GAP, 3), 255, np.uint8)
    tile = paint(size, size, seed, tileable=True)
    return np.concatenate([real, gap, paint(3 * size, 3 * size, seed), gap, np.tile(tile, (3, 3, 1))], 1)


if __name__ == "__main__":
    command.run(main, __doc__, name="which of params.yaml's textures")

"""How one network is trained: what an experiment asks for, within what the scale allows."""

from __future__ import annotations

from dataclasses import dataclass

from stages.settings import Settings

CRITICS = {"ae": (), "ae_skip": (), "gan": ("whole",), "ambient": ("whole", "near")}  # a network's adversaries


@dataclass(frozen=True)
class InpaintRecipe:
    """All that decides what a training run ends with, apart from its seed, its pictures and its parent."""

    network: str
    size: int  # pixels of a window's side
    dim: int  # channels of the widest pictures' features
    loss: str
    holes: tuple[str, ...]  # what hides parts of the windows
    dropout: float
    optimizer: str
    batch: int
    steps: int  # at most
    every: int  # steps between two looks at the held-out images
    patience: int  # looks without a better one, after which training ends
    windows: int  # of each photograph

    @property
    def critics(self) -> tuple[str, ...]:
        return CRITICS[self.network]

    @property
    def incomplete(self) -> bool:
        """Return whether the network never sees a complete image."""
        return self.network == "ambient"


def recipe_of(params: Settings, name: str) -> InpaintRecipe:
    """Return how one of `inpaints` is trained: what it asks for, within what the scale allows."""
    asked, scale = params.inpaints[name], params.now.inpaint
    return InpaintRecipe(
        network=asked.network,
        size=scale.size,
        dim=scale.dim,
        loss=asked.loss,
        holes=tuple(asked.holes),
        dropout=asked.dropout,
        optimizer=asked.optimizer,
        batch=min(asked.batch, scale.most_batch),
        steps=min(asked.steps, scale.most_steps),
        every=scale.every,
        patience=asked.patience,
        windows=scale.windows,
    )

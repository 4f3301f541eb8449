"""What is kept of a training run besides its end: pictures of the same noise through time, and some generators."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from stages import files
from stages.dataset import photo
from stages.gan.gan_pair import GanPair
from stages.gan.kept_generators import kept_name
from stages.gan.networks import to_pixels
from stages.training import weights

COLUMNS = ROWS = 10  # of a grid
LARGEST = 128  # pixels of a picture in a grid
FILMED = 6  # pictures of a grid that the film strip follows


@dataclass(frozen=True)
class Snapshots:
    """Called at every stop of a run, to write grids, generators and timing. What it writes depends on the step alone,
    so a resumed run leaves the same."""

    folder: Path
    grids: frozenset[int]  # steps at which a grid is drawn …
    kept: frozenset[int]  # … and at which the generator is kept; after a collapse both are
    timing: Path  # one row for each stop: pace and memory

    def __call__(self, step: int, pair: GanPair, pace: float, collapsed: bool) -> None:
        if collapsed or step in self.grids:
            latents = torch.randn(COLUMNS * ROWS, pair.recipe.z, generator=torch.Generator().manual_seed(0))
            photo.save(self.folder / "grids" / f"step_{step:09}.jpg", grid(to_pixels(pair.draw(latents))))
        if collapsed or step in self.kept:
            files.write(self.folder / kept_name(step), weights.packed(pair.inference_generator.state_dict()))
        rows = self.timing.read_text().splitlines() if self.timing.exists() else []
        earlier = [row for row in rows[1:] if int(row.partition(",")[0]) < step]
        now = f"{step},{pace:.1f},{_memory(pair.device):.0f}"
        files.write(self.timing, "\n".join(["step,images_per_second,memory_mb", *earlier, now, ""]))


def grid(pictures: np.ndarray) -> np.ndarray:
    """Return one picture of many, without gaps in rows of ten, each at most LARGEST wide."""
    size = min(pictures.shape[1], LARGEST)
    small = [cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA) for picture in pictures]
    return np.concatenate([np.concatenate(small[k : k + COLUMNS], 1) for k in range(0, len(small), COLUMNS)])


def film(grids: list[np.ndarray]) -> np.ndarray:
    """Return the first pictures of every grid in one: time runs to the right, each row is one latent vector."""
    size = grids[0].shape[0] // ROWS
    return np.concatenate(
        [np.concatenate([one[:size, k * size : (k + 1) * size] for k in range(FILMED)]) for one in grids], axis=1
    )


def _memory(device: torch.device) -> float:
    """Return the megabytes in use: of the GPU, or of this process."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device) / 1e6
    resident = int(Path("/proc/self/statm").read_text().split()[1])
    return resident * os.sysconf("SC_PAGE_SIZE") / 1e6

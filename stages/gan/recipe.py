"""How one generator is trained. The defaults are the thesis's own."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from stages.gan.losses import LOSSES
from stages.gan.networks import SIZES
from stages.gan.penalties import PENALTIES
from stages.problem import Problem

PRECISIONS = ("fp32", "bf16")


@dataclass(frozen=True)
class Recipe:
    """All that decides what a training run ends with, apart from its seed and its pictures."""

    size: int = 256  # pixels of the square
    dim: int = 64  # channels of the widest pictures' features
    z: int = 128  # length of a latent vector
    loss: str = "wgan"
    penalty: str = "wgan-gp"
    penalty_weight: float = 10.0
    batch: int = 8
    steps: int = 50_000  # of the critic
    critic_steps: int = 5  # … for one of the generator
    lr: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    epsilon: float = 1e-7
    precision: str = "bf16"  # of the convolutions; norms, losses and the penalty's slope are taken in fp32
    average: float = 0.0  # decay of the generator's moving average for each of its steps; 0: none

    def __post_init__(self) -> None:
        for name, allowed in (("size", SIZES), ("loss", LOSSES), ("penalty", PENALTIES), ("precision", PRECISIONS)):
            if (value := getattr(self, name)) not in allowed:
                raise Problem(f"gan.{name}: {value!r} is not allowed: expected one of {', '.join(map(str, allowed))}")
        for name in ("dim", "z", "batch", "steps", "critic_steps"):
            if (value := getattr(self, name)) < 1:
                raise Problem(f"gan.{name}: {value!r} is not allowed: expected at least 1")

    def facts(self) -> dict:
        """The recipe as JSON gives it back."""
        return asdict(self) | {"betas": list(self.betas)}

    def changed(self, other: dict) -> list[str]:
        """What differs from another recipe's facts, as `key: theirs, now ours`."""
        ours = self.facts()
        keys = sorted(ours.keys() | other.keys())
        return [f"{k}: {other.get(k)}, now {ours.get(k)}" for k in keys if ours.get(k) != other.get(k)]

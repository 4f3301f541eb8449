"""Training one generator: resumable at any moment, to the same weights as if it had never been stopped.

The pictures live on the device. Between two intervals nothing waits for it: reports are summed there and read once.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stages import files, progress
from stages.gan import checkpoint
from stages.gan.deck import Deck
from stages.gan.players import CRITIC_REPORT, GENERATOR_REPORT, Players
from stages.gan.recipe import Recipe
from stages.problem import Problem

PROBES = 16  # samples that are watched for collapse
ALIKE = 0.01  # samples that differ less than this share of how the pictures differ are all alike …
SETTLED = 500  # … if that is so after this many steps of the critic: every generator starts with grey

Row = dict[str, float]


def train(
    pictures: np.ndarray,
    recipe: Recipe,
    seed: int,
    folder: Path,
    interval: int,
    device: torch.device,
    title: str = "gan",
    parent: dict[str, Tensor] | None = None,
    fresh: bool = False,
    watch: Callable[[int, Players], None] | None = None,
) -> tuple[Players, list[Row]]:
    """Train on `pictures` (n, size, size, 3; uint8) and return the players and one row of means for each interval.

    Checkpoints go to `folder` after every `interval` steps of the critic. What is there is continued; if it belongs to
    another recipe, seed, parent or other pictures, that is refused, unless `fresh` says to start anew. `parent` is the
    state of a finished run to start from: both networks and both optimisers. `watch` is called after every interval.
    """
    _check(pictures, recipe)
    identity = {
        "recipe": recipe.facts(),
        "seed": seed,
        "interval": interval,
        "pictures": hashlib.sha256(pictures.tobytes()).hexdigest(),
        "parent": _digest(parent) if parent else None,
    }
    real = torch.from_numpy(pictures).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
    real = real.contiguous(memory_format=torch.channels_last)
    differ = float(real.std(0).mean()) if len(real) > 1 else 0.0
    with files.locked(folder / "lock"), progress.bar(total=recipe.steps, what=title, unit="step") as shown:
        players, deck = Players(recipe, seed, device), Deck(len(pictures), seed)
        done, rows = _resume(folder, identity, players, deck, fresh)
        if parent and not done:
            _inherit(players, parent)
        shown.update(done)
        while done < recipe.steps:
            started = time.perf_counter()
            count = min(interval, recipe.steps - done)
            row = _interval(real, deck.deal(count, recipe.batch).to(device), done, players)
            done += count
            _sound(row, done, folder, players, differ)
            rows.append({"step": done, **{name: round(value, 6) for name, value in row.items()}})
            checkpoint.save(folder, done, players.state() | deck.state(), {"identity": identity, "rows": rows})
            if watch:
                watch(done, players)
            pace = count * recipe.batch / (time.perf_counter() - started)
            shown.set_postfix_str(f"critic {row['critic_loss']:.2f}, {pace:.0f} images/s", refresh=False)
            shown.update(count)
    return players, rows


def _interval(real: Tensor, order: Tensor, done: int, players: Players) -> Row:
    """Play as many steps as `order` has rows; the means of what they report."""
    every = players.recipe.critic_steps
    critic = torch.zeros(len(CRITIC_REPORT), device=players.device)
    generator = torch.zeros(len(GENERATOR_REPORT), device=players.device)
    turns = 0
    for k, picked in enumerate(order, done + 1):
        critic += players.critic_step(real[picked])
        if k % every == 0:
            generator += players.generator_step()
            turns += 1
    row = dict(zip(CRITIC_REPORT, (critic / len(order)).tolist(), strict=True))
    row["accuracy"] = (row["accuracy_real"] + row["accuracy_fake"]) / 2
    return row | (dict(zip(GENERATOR_REPORT, (generator / turns).tolist(), strict=True)) if turns else {})


def _sound(row: Row, step: int, folder: Path, players: Players, differ: float) -> None:
    """Stop when the game is lost: a loss that is no number, or samples that are all alike."""
    kept = checkpoint.steps(folder)
    good = f"the last good checkpoint is {folder / f'step_{kept[-1]:09}'}" if kept else "there is no checkpoint yet"
    losses = ", ".join(f"{name} {value:.4g}" for name, value in row.items() if "loss" in name or name == "penalty")
    if not np.isfinite(list(row.values())).all():
        raise Problem(f"step {step}: a loss is no longer a number ({losses}); {good}")
    probes = torch.randn(PROBES, players.recipe.z, generator=torch.Generator().manual_seed(0))
    if step >= SETTLED and float(players.draw(probes).std(0).mean()) < ALIKE * differ:
        raise Problem(f"step {step}: the samples are all alike, the generator has collapsed ({losses}); {good}")


def _resume(folder: Path, identity: dict, players: Players, deck: Deck, fresh: bool) -> tuple[int, list[Row]]:
    if fresh:
        checkpoint.clear(folder)
    found = checkpoint.load(folder)
    if found is None:
        return 0, []
    tensors, facts, wrong = found
    for line in wrong:
        print(f"tenfold: {line}")
    theirs = facts["identity"]
    if theirs != identity:
        changes = players.recipe.changed(theirs["recipe"])
        changes += [name for name in ("seed", "interval", "pictures", "parent") if theirs[name] != identity[name]]
        raise Problem(
            f"{folder}: this run was begun with other settings ({'; '.join(changes)}); start it afresh to go on"
        )
    players.restore(tensors)
    deck.restore(tensors)
    return facts["step"], facts["rows"]


def _inherit(players: Players, parent: dict[str, Tensor]) -> None:
    """Take a finished run's networks and optimisers; the random numbers stay this run's own."""
    mine = players.state()
    wrong = [name for name, value in mine.items() if name in parent and parent[name].shape != value.shape]
    missing = [name for name in mine if name not in parent and name != "rng"]
    if wrong or missing:
        raise Problem(f"the parent has another architecture: it differs at {(wrong + missing)[0]}")
    players.restore(parent | {"rng": mine["rng"]})


def _digest(state: dict[str, Tensor]) -> str:
    sha = hashlib.sha256()
    for name in sorted(state):
        sha.update(name.encode() + state[name].detach().cpu().contiguous().numpy().tobytes())
    return sha.hexdigest()


def _check(pictures: np.ndarray, recipe: Recipe) -> None:
    if len(pictures) == 0:
        raise Problem("there are no pictures to train on")
    if pictures.shape[1:] != (recipe.size, recipe.size, 3) or pictures.dtype != np.uint8:
        raise Problem(f"pictures of {pictures.shape[1:]} {pictures.dtype} do not fit gan.size {recipe.size}")

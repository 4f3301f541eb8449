"""Training one generator: resumable at any moment, to the same weights as if it had never been stopped.

The pictures live on the device. Between two stops nothing waits for it: reports are summed there and read once.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from stages import files, progress
from stages.gan.cuda_graph import Eager, Recorded, game
from stages.gan.gan_pair import CRITIC_REPORT, GENERATOR_REPORT, GanPair
from stages.gan.networks import from_pixels
from stages.gan.recipe import GanRecipe
from stages.gan.sampler import PictureSampler
from stages.problem import Problem
from stages.training import checkpoint
from stages.training.distributed import WorkerGroup

PROBES = 16  # samples that are watched for collapse
ALIKE = 0.01  # samples that differ less than this share of how the pictures differ are all alike …
SETTLED = 500  # … if that is so after this many steps of the critic: every generator starts with grey

Row = dict[str, float]
Watch = Callable[[int, GanPair, float], None]


def train(
    pictures: np.ndarray,
    recipe: GanRecipe,
    seed: int,
    folder: Path,
    stops: list[int],
    team: WorkerGroup,
    title: str = "gan",
    parent: dict[str, Tensor] | None = None,
    fresh: bool = False,
    watch: Watch | None = None,
    kind: type[GanPair] = GanPair,
) -> tuple[GanPair, list[Row]]:
    """Train on `pictures` (n, size, size, channels; uint8) and return the players and one row of means for each stop.

    After each of `stops` (steps of the critic; the last is the recipe's) a checkpoint goes to `folder`. What is there
    is continued; if it belongs to another recipe, seed, parent or other pictures, that is refused, unless `fresh` says
    to start anew. `parent` is the state of a finished run to start from: both networks and both optimisers. `watch` is
    called at every stop, before its checkpoint, with the step, the players and the pictures a second since the last.
    `kind` says which networks play.
    """
    _check(pictures, recipe, stops, kind.channels)
    identity = {
        "recipe": recipe.facts(),
        "seed": seed,
        "stops": stops,
        "pictures": hashlib.sha256(pictures.tobytes()).hexdigest(),
        "parent": _digest(parent) if parent else None,
    }
    real = from_pixels(pictures).to(team.device, memory_format=torch.channels_last)
    differ = float(real.std(0).mean()) if len(real) > 1 else 0.0
    players, deck = kind(recipe, seed, team), PictureSampler(len(pictures), seed)
    with _alone(folder, team), _bar(recipe.steps, title, team) as shown:
        if fresh and team.leads:
            checkpoint.clear(folder)
        team.wait()
        done, rows = _resume(folder, identity, players, deck)
        if parent and not done:
            _inherit(players, parent)
        shown.update(done)
        played = game(players, real)
        for stop in [stop for stop in stops if stop > done]:
            started = time.perf_counter()
            order = deck.deal(stop - done, recipe.batch)[:, team.rank :: team.size].to(team.device)
            row = _stretch(played, players, order, done, shown)
            _sound(row, stop, folder, players, differ)
            pace = (stop - done) * recipe.batch / (time.perf_counter() - started)
            done = stop
            rows.append({"step": done, **{name: round(value, 6) for name, value in row.items()}})
            shown.set_postfix_str(f"critic {row['critic_loss']:.2f}, {pace:.0f} images/s", refresh=False)
            if watch and team.leads:
                watch(done, players, pace)
            state = players.state() | deck.state()
            if team.leads:
                checkpoint.keep(folder, done, state, {"identity": identity, "rows": rows})
    return players, rows


def _stretch(played: Eager | Recorded, players: GanPair, order: Tensor, done: int, shown: tqdm) -> Row:
    """Play as many steps as `order` has rows; the means of what they report."""
    every = players.recipe.critic_steps
    critic = torch.zeros(len(CRITIC_REPORT), device=players.device)
    generator = torch.zeros(len(GENERATOR_REPORT), device=players.device)
    turns = 0
    for k, picked in enumerate(order, done + 1):
        critic += played.critic_step(picked)
        if k % every == 0:
            generator += played.generator_step()
            turns += 1
        shown.update()
    means = [critic / len(order), *([generator / turns] if turns else [])]
    values = players.team.mean(torch.cat(means)).tolist()
    row = dict(zip(CRITIC_REPORT + GENERATOR_REPORT, values, strict=False))  # no turn of the generator, no loss of it
    row["accuracy"] = (row["accuracy_real"] + row["accuracy_fake"]) / 2
    return row


def _sound(row: Row, step: int, folder: Path, players: GanPair, differ: float) -> None:
    """Stop when the game is lost: a loss that is no number, or samples that are all alike."""
    kept = checkpoint.steps(folder)
    good = f"the last good checkpoint is {folder / f'step_{kept[-1]:09}'}" if kept else "there is no checkpoint yet"
    losses = ", ".join(f"{name} {value:.4g}" for name, value in row.items() if "loss" in name or name == "penalty")
    if not np.isfinite(list(row.values())).all():
        raise Problem(f"step {step}: a loss is no longer a number ({losses}); {good}")
    probes = torch.randn(PROBES, players.recipe.z, generator=torch.Generator().manual_seed(0))
    if step >= SETTLED and float(players.draw(probes).std(0).mean()) < ALIKE * differ:
        raise Problem(f"step {step}: the samples are all alike, the generator has collapsed ({losses}); {good}")


def _resume(folder: Path, identity: dict, players: GanPair, deck: PictureSampler) -> tuple[int, list[Row]]:
    found = checkpoint.newest(folder)
    if found is None:
        return 0, []
    tensors, facts, wrong = found
    if players.team.leads:
        for line in wrong:
            print(f"tenfold: {line}")
    theirs = facts["identity"]
    if theirs != identity:
        changes = players.recipe.changed(theirs["recipe"])
        changes += [name for name in ("seed", "stops", "pictures", "parent") if theirs[name] != identity[name]]
        raise Problem(
            f"{folder}: this run was begun with other settings ({'; '.join(changes)}); go back to them, or set "
            "TENFOLD_FRESH=1 to start afresh"
        )
    players.restore(tensors)
    deck.restore(tensors)
    return facts["step"], facts["rows"]


def _inherit(players: GanPair, parent: dict[str, Tensor]) -> None:
    """Take a finished run's networks and optimisers; the random numbers stay this run's own."""
    mine = players.state()
    own = {name: value for name, value in mine.items() if name.startswith("rng.")}
    if players.average is not None:  # where the parent has none, it starts from the parent's generator
        parent = {name.replace("generator.", "average.", 1): value for name, value in parent.items()} | parent
    for name in mine.keys() - own.keys():
        if name not in parent or parent[name].shape != mine[name].shape:
            raise Problem(f"the parent has another architecture: it differs at {name}")
    players.restore(parent | own)


@contextlib.contextmanager
def _alone(folder: Path, team: WorkerGroup) -> Iterator[None]:
    """One run at a time in a folder."""
    with files.locked(folder / "lock") if team.leads else contextlib.nullcontext():
        yield


def _bar(steps: int, title: str, team: WorkerGroup) -> tqdm:
    return progress.bar(total=steps, what=title, unit="step") if team.leads else tqdm(disable=True)


def _digest(state: dict[str, Tensor]) -> str:
    sha = hashlib.sha256()
    for name in sorted(state):
        sha.update(name.encode() + state[name].detach().cpu().contiguous().numpy().tobytes())
    return sha.hexdigest()


def _check(pictures: np.ndarray, recipe: GanRecipe, stops: list[int], channels: int) -> None:
    if len(pictures) == 0:
        raise Problem("there are no pictures to train on")
    if pictures.shape[1:] != (recipe.size, recipe.size, channels) or pictures.dtype != np.uint8:
        raise Problem(f"pictures of {pictures.shape[1:]} {pictures.dtype} do not fit gan.size {recipe.size}")
    if recipe.batch % recipe.processes:
        raise Problem(f"gan.processes: {recipe.processes} cannot share a batch of {recipe.batch} equally")
    assert stops == sorted(set(stops)) and stops[-1] == recipe.steps, stops

"""Train one generator: resumable at any moment, to the same weights as if it had never been stopped.

A generator that collapses ends its training there: that is a result, which is noted. A loss that is no number is an
error. The pictures live on the device. Between two stops nothing waits for it: reports are summed there and read once.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from stages import files, progress
from stages.gan.batch_sampler import BatchSampler
from stages.gan.cuda_graph import EagerSteps, RecordedSteps, fastest_steps
from stages.gan.gan_pair import CRITIC_REPORT, GENERATOR_REPORT, GanPair
from stages.gan.networks import from_pixels
from stages.gan.recipe import GanRecipe
from stages.problem import Problem
from stages.training import checkpoint, run_facts
from stages.training.distributed import WorkerGroup

PROBES = 16  # samples that are watched for collapse
ALIKE = 0.01  # samples that differ less than this share of how the pictures differ are all alike …
SETTLED = 500  # … if that is so after this many steps of the critic: every generator starts with grey

Row = dict[str, float]
Watch = Callable[[int, GanPair, float, bool], None]  # step, networks, pictures a second, whether it has collapsed


@dataclass(frozen=True)
class GanTraining:
    """All that one training run is made of."""

    pictures: np.ndarray  # (n, size, size, channels) uint8
    recipe: GanRecipe
    seed: int
    folder: Path  # of its checkpoints
    stops: list[int]  # steps of the critic after which there is one; the last is the recipe's
    title: str = "gan"  # of the progress bar
    parent: dict[str, Tensor] | None = None  # the state of a finished run to start from
    fresh: bool = False  # whether what is in the folder is dropped; else it is continued
    watch: Watch | None = None  # called at every stop, before its checkpoint: see Watch
    kind: type[GanPair] = GanPair  # which networks train

    @property
    def identity(self) -> dict:
        """Return what decides where the run ends, as its checkpoints hold it."""
        return {
            "recipe": run_facts.recipe_facts(self.recipe),
            "seed": self.seed,
            "stops": self.stops,
            "pictures": hashlib.sha256(self.pictures.tobytes()).hexdigest(),
            "parent": _digest(self.parent) if self.parent else None,
        }


@dataclass(frozen=True)
class TrainedGan:
    """What a training run has ended with."""

    pair: GanPair
    rows: list[Row]  # means up to each stop
    collapsed: bool  # whether it ended because its samples had all become alike

    @property
    def steps(self) -> int:
        """Return how many steps the critic has taken."""
        return int(self.rows[-1]["step"])

    def reached(self, planned: Iterable[int]) -> list[int]:
        """Return which of the planned steps there have been, in order; a collapse stands for those after it."""
        return sorted({step for step in planned if step <= self.steps} | ({self.steps} if self.collapsed else set()))


def train(run: GanTraining, workers: WorkerGroup) -> TrainedGan:
    """Return what a run ends with: after the recipe's steps, or at the first stop at which the samples are all alike.

    A run that was killed goes on from its last checkpoint; checkpoints of another run are refused.
    """
    _check(run)
    recipe, folder = run.recipe, run.folder
    real = from_pixels(run.pictures).to(workers.device, memory_format=torch.channels_last)
    differ = float(real.std(0).mean()) if len(real) > 1 else 0.0
    pair, sampler = run.kind(recipe, run.seed, workers), BatchSampler(len(run.pictures), run.seed)
    identity, done, rows, collapsed = run.identity, 0, [], False
    with _alone(folder, workers), _bar(recipe.steps, run.title, workers) as shown:
        if found := checkpoint.resume(folder, identity, run.fresh, workers.leads):
            tensors, facts = found
            pair.restore(tensors)
            sampler.restore(tensors)
            done, rows, collapsed = facts["step"], facts["rows"], facts.get("collapsed", False)
        elif run.parent:
            _inherit(pair, run.parent)
        shown.update(done)
        training = fastest_steps(pair, real)
        for stop in [stop for stop in run.stops if stop > done]:
            if collapsed:
                break
            started = time.perf_counter()
            order = sampler.deal(stop - done, recipe.batch)[:, workers.rank :: workers.size].to(workers.device)
            row = _stretch(training, pair, order, done, shown)
            _sound(row, stop, folder)
            collapsed = stop >= SETTLED and _spread(pair) < ALIKE * differ
            pace = (stop - done) * recipe.batch / (time.perf_counter() - started)
            done = stop
            rows.append({"step": done, **{name: round(value, 6) for name, value in row.items()}})
            shown.set_postfix_str(f"critic {row['critic_loss']:.2f}, {pace:.0f} images/s", refresh=False)
            if run.watch and workers.leads:
                run.watch(done, pair, pace, collapsed)
            state = pair.state() | sampler.state()
            if workers.leads:
                checkpoint.keep(folder, done, state, {"identity": identity, "rows": rows, "collapsed": collapsed})
    return TrainedGan(pair, rows, collapsed)


def _stretch(training: EagerSteps | RecordedSteps, pair: GanPair, order: Tensor, done: int, shown: tqdm) -> Row:
    """Train as many steps as `order` has rows; return the means of what they report."""
    every = pair.recipe.critic_steps
    critic = torch.zeros(len(CRITIC_REPORT), device=pair.device)
    generator = torch.zeros(len(GENERATOR_REPORT), device=pair.device)
    turns = 0
    for k, picked in enumerate(order, done + 1):
        critic += training.critic_step(picked)
        if k % every == 0:
            generator += training.generator_step()
            turns += 1
        shown.update()
    means = [critic / len(order), *([generator / turns] if turns else [])]
    values = pair.workers.mean(torch.cat(means)).tolist()
    row: Row = dict(
        zip(CRITIC_REPORT + GENERATOR_REPORT, values, strict=False)
    )  # no turn of the generator, no loss of it
    row["accuracy"] = (row["accuracy_real"] + row["accuracy_fake"]) / 2
    return row


def _sound(row: Row, step: int, folder: Path) -> None:
    """Raise a Problem when a loss is no number any more."""
    if not np.isfinite(list(row.values())).all():
        raise checkpoint.failure(folder, step, row, "a loss is no longer a number")


def _spread(pair: GanPair) -> float:
    """Return how far samples of the same noise differ from each other, as all workers see it."""
    probes = torch.randn(PROBES, pair.recipe.z, generator=torch.Generator().manual_seed(0))
    return float(pair.workers.mean(pair.draw(probes).std(0).mean()))


def _inherit(pair: GanPair, parent: dict[str, Tensor]) -> None:
    """Take a finished run's networks and optimisers; the random numbers stay this run's own."""
    mine = pair.state()
    own = {name: value for name, value in mine.items() if name.startswith("rng.")}
    if pair.average is not None:  # where the parent has none, it starts from the parent's generator
        parent = {name.replace("generator.", "average.", 1): value for name, value in parent.items()} | parent
    for name in mine.keys() - own.keys():
        if name not in parent or parent[name].shape != mine[name].shape:
            raise Problem(f"the parent has another architecture: it differs at {name}")
    pair.restore(parent | own)


@contextlib.contextmanager
def _alone(folder: Path, workers: WorkerGroup) -> Iterator[None]:
    """Hold the folder for the block: one run at a time trains in it."""
    with files.locked(folder / "lock") if workers.leads else contextlib.nullcontext():
        yield


def _bar(steps: int, title: str, workers: WorkerGroup) -> tqdm:
    return progress.bar(total=steps, what=title, unit="step") if workers.leads else tqdm(disable=True)


def _digest(state: dict[str, Tensor]) -> str:
    sha = hashlib.sha256()
    for name in sorted(state):
        sha.update(name.encode() + state[name].detach().cpu().contiguous().numpy().tobytes())
    return sha.hexdigest()


def _check(run: GanTraining) -> None:
    pictures, recipe = run.pictures, run.recipe
    if len(pictures) == 0:
        raise Problem("there are no pictures to train on")
    if pictures.shape[1:] != (recipe.size, recipe.size, run.kind.channels) or pictures.dtype != np.uint8:
        raise Problem(f"pictures of {pictures.shape[1:]} {pictures.dtype} do not fit gan.size {recipe.size}")
    if recipe.batch % recipe.processes:
        raise Problem(f"gan.processes: {recipe.processes} cannot share a batch of {recipe.batch} equally")
    assert run.stops == sorted(set(run.stops)) and run.stops[-1] == recipe.steps, run.stops

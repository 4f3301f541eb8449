"""What a whole `dvc repro` takes on one GPU at a scale: steps and operations of all trainings, hours, and disk.

Steps follow from params.yaml, operations are counted on networks without memory, hours are at a rate: what
benchmarks/gan_speed.py has measured on a GPU (reports/benchmarks/gan_speed_cuda.json), or else one that is assumed.
Disk is that of photographs, candidates and weights, once in the checkout and once in DVC's cache, and of checkpoints.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import msgspec
import torch
from torch.nn import Module
from torch.utils.flop_counter import FlopCounterMode
from ultralytics.nn.tasks import DetectionModel

from benchmarks.conditions import record
from stages import command, files, paths, settings
from stages.compose import object_gan
from stages.compose.generated_objects import CHANNELS
from stages.dataset import subset as subsets
from stages.dataset.bins import scene, world
from stages.detector.model import epochs_of
from stages.gan import recipe
from stages.gan.networks import Critic, Generator, norm_for
from stages.gan.recipe import GanRecipe
from stages.inpaint.networks import network
from stages.inpaint.recipe import recipe_of as inpaint_recipe
from stages.judge import train as judge_train
from stages.settings import Settings
from stages.texture import recipe as texture_recipe
from stages.texture.networks import SpatialGenerator
from stages.texture.spatial_gan import PATCH

ASSUMED = 10.0  # TFLOPS that a current GPU sustains: 3 % of what an A100 does at best, for batches are small
BACK = 3  # a pass forth and back, in passes forth
PENALTY = 6  # … and one whose slope is followed back, too
ADAM = 3  # a weight and its two moments
CLASSES = 5
SCALES = ("smoke", "demo", "thesis")


@dataclass(frozen=True)
class Training:
    """Trainings of one kind, added up."""

    kind: str
    trainings: int
    steps: int
    operations: float
    bytes_left: float  # weights that stay
    bytes_kept: float  # … and the largest checkpoints while one trains


def main() -> None:
    params = settings.load()
    measured = paths.REPORTS / "benchmarks" / "gan_speed_cuda.json"
    rate = ASSUMED
    if measured.exists():
        said = files.read_json(measured)["figures"]
        rate = said["bf16_matrix_product_peak_tflops"] * said["batch_8_share_of_peak"]
    figures: dict[str, object] = {"tflops": rate, "tflops_are": "measured" if measured.exists() else "assumed"}
    for scale in SCALES:
        now = msgspec.structs.replace(params, scale=scale)
        rows = trainings(now)
        for row in rows if scale == "thesis" else ():
            figures[row.kind] = (f"{row.trainings} trainings, {row.steps} steps, {row.operations / 1e15:.0f} PFLOP, "
                                 f"{row.operations / rate / 3.6e15:.1f} hours")  # fmt: skip
        figures[f"{scale}_hours"] = round(sum(row.operations for row in rows) / rate / 3.6e15, 1)
        figures[f"{scale}_disk_gb"] = round(disk(now, rows) / 1e9, 1)
    record("scale_needs", figures, ("torch", "ultralytics-opencv-headless"))


def trainings(params: Settings) -> list[Training]:
    """Return all trainings of `dvc repro`, by kind."""
    experiments = [
        gan(own, Generator(own.size, own.z, own.dim), Critic(own.size, own.dim, norm_for(own.penalty)), 4)
        for own in (
            recipe.recipe_of(params, name, chosen(params, of.subset)) for name, of in params.experiments.items()
        )
    ]
    objects = [
        gan(own, Generator(own.size, own.z, own.dim, CHANNELS), Critic(own.size, own.dim, "layer", CHANNELS))
        for own in (object_gan.recipe_of(params, name) for name in params.object_gans)
    ]
    textures = [
        gan(own, SpatialGenerator(own.size, own.z, own.dim), Critic(PATCH, own.dim, "batch"))
        for own in (texture_recipe.recipe_of(params, name) for name in params.textures)
    ]
    found = [total("GANs", experiments), total("object GANs", objects), total("textures", textures)]
    return [*found, total("inpainting (at most)", inpaints(params)), *detectors(params)]


def gan(own: GanRecipe, generator: Module, critic: Module, kept: int = 1) -> Training:
    """Return a GAN's training, of which a number of generators are kept."""
    draws = passes(generator, (1, own.z))
    sees = passes(critic, (1, next(critic.parameters()).shape[1], own.size, own.size))
    penalty = 0 if own.penalty == "none" else PENALTY
    critic_step = draws + (2 * BACK + penalty) * sees
    generator_step = BACK * draws + (BACK - 1) * sees  # the critic's own weights are not followed
    operations = own.batch * own.steps * (critic_step + generator_step / own.critic_steps)
    state = 4 * ADAM * (size(generator) + size(critic))
    return Training("", 1, own.steps, operations, kept * 4 * size(generator) + state, 2 * state)


def inpaints(params: Settings) -> list[Training]:
    found = []
    for name in params.inpaints:
        own = inpaint_recipe(params, name)
        net = network(own.network, own.dim, own.dropout)
        forth = passes(net, (1, 3, own.size, own.size))
        state = 4 * ADAM * size(net)
        found.append(Training("", 1, own.steps, BACK * forth * own.batch * own.steps, state, 2 * state))
    return found


def detectors(params: Settings) -> list[Training]:
    """Return the detectors' trainings: of all products, of judges and labellers, of what was known, of all arms."""
    rule, how, judge = params.now.detector, params.now.evidence, params.now.judge
    images = round(params.split.train * photographs(params))
    groups = len(params.now.bins.images)
    seen_by_judge = round(judge_train.VARIANTS * images * (groups - 1) / groups / (1 - judge_train.SHARE))
    net = DetectionModel(f"{rule.model}.yaml", nc=CLASSES, verbose=False)
    epochs = epochs_of(seen_by_judge, judge_train.rule(params))
    judged = 2 * len(msgspec.structs.asdict(params.judge.subsets))
    plan = {
        "detector": (1, epochs_of(images, rule) * -(-images // rule.batch), rule.imgsz, rule.batch),
        "judges, labellers": (judged, epochs * -(-seen_by_judge // rule.batch), judge.imgsz, rule.batch),
        "known products": (1, params.known_detector_steps(how), how.imgsz, how.batch),
        "arms": (sum(not arm.skip for arm in params.arms.values()) * how.seeds, how.steps, how.imgsz, how.batch),
    }  # fmt: skip
    return [
        Training(kind, count, count * steps, BACK * passes(net, (1, 3, imgsz, imgsz)) * batch * count * steps,
                 2 * count * size(net), 4 * (ADAM + 1) * size(net))
        for kind, (count, steps, imgsz, batch) in plan.items()
    ]  # fmt: skip


def photographs(params: Settings) -> int:
    """Return how many photographs the built-in world draws, apart from those for testing only."""
    return sum(params.now.bins.images.values())


def chosen(params: Settings, subset: str) -> int:
    """Return how many photographs are in a subset."""
    rule, images = params.subsets[subset], params.now.bins.images
    most = float("inf") if rule.count == "all" else rule.count
    return sum(
        int(min(most, params.split.train * images[group]))
        for group in subsets.meant(rule.group, params.products, list(images), f"subsets.{subset}")
    )


def total(kind: str, found: list[Training]) -> Training:
    return Training(
        kind, len(found), sum(one.steps for one in found), sum(one.operations for one in found),
        sum(one.bytes_left for one in found), max(one.bytes_kept for one in found),
    )  # fmt: skip


def passes(net: Module, shape: tuple[int, ...]) -> float:
    """Return the operations (a multiplication and an addition are two) of one pass forth."""
    with FlopCounterMode(display=False) as counted, torch.no_grad():
        net.to("meta").train()(torch.empty(shape, device="meta"))
    return counted.get_total_flops()


def size(net: Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def disk(params: Settings, rows: list[Training]) -> float:
    """Return the bytes that a run leaves, twice, and what it holds meanwhile."""
    bins, gan = params.now.bins, params.now.gan
    with tempfile.TemporaryDirectory() as name:
        one = msgspec.structs.replace(bins, images={next(iter(bins.images)): 2}, extra_test={}, shifted=0)
        world.generate(one, 0, Path(name))
        sizes = [path.stat().st_size for path in Path(name).rglob("*.png")]
    photo = sum(sizes) / len(sizes)
    images = photographs(params)
    apart = sum(bins.extra_test.values()) + len(scene.SHIFTED) * bins.shifted * len(
        bins.extra_test
    )  # stations that differ
    several = sum(chosen(params, subset) for subset in params.subsets)
    composed = params.now.composed * sum(of.more for of in params.compositions.values())
    drawn = 3 * params.now.candidates * len(params.experiments) * (gan.size**2 / (bins.width * bins.height))
    left = photo * (images + apart + several + 1.5 * (composed + drawn)) + sum(row.bytes_left for row in rows)
    return 2 * left + max(row.bytes_kept for row in rows)


if __name__ == "__main__":
    command.run(main, __doc__)

"""The blocks of params.yaml, each key typed and with what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from stages import left_out

NONE = "data/none"  # an empty folder in git: an entry names it where it has nothing to name, since DVC wants a path

CHEAP = ("paste", "classic")  # ways to compose that are quick enough to be gone again for each fold of a product

Name = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]*$")]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0, le=1)]


class Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One block of params.yaml. Every key is written out there, so nothing here has a default."""


def named_folder(value: str) -> Path | None:
    """Return the folder that an entry names; None, if it names the one that stands for none, or if there is nothing in
    it, because the dataset has no such photographs."""
    return None if value == NONE or left_out.why(Path(value)) else Path(value)


class Fix(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One declared correction of the dataset; it names an image or an annotation, or, for `clip`, neither: all."""

    do: Literal["reclassify", "clip", "drop"]
    image: int | None = None  # image id: the image, and all its annotations
    annotation: int | None = None  # annotation id
    to: int | None = None  # category id, for reclassify

    def __post_init__(self) -> None:
        named = (self.image is not None) + (self.annotation is not None)
        if named > 1 or (named == 0 and self.do != "clip"):
            raise ValueError(f"Expected one of image, annotation to {self.do}")
        if (self.to is not None) != (self.do == "reclassify"):
            raise ValueError("Expected a category id in `to` for reclassify, and only there")


class Dataset(Section, frozen=True):
    source: Literal["bins", "coco", "arrived"]  # drawn, your own, or nothing but what has arrived
    images: str
    annotations: str
    groups: dict[Name, list[str]]  # group → file-name patterns; empty: the first folder of the file name
    fixes: list[Fix]
    arrived: list[Name]  # products that came later, in data/products/; each a group of its name
    few_instances: Count  # a class with fewer is reported as under-represented


class Split(Section, frozen=True):
    train: Share
    val: Share
    test: Share
    hash_distance: Annotated[int, Meta(ge=0, le=32)]  # bits of 64
    tile_distance: Share  # of full brightness

    def __post_init__(self) -> None:
        if abs(self.train + self.val + self.test - 1) > 1e-9:
            raise ValueError("Expected train + val + test = 1")


class Products(Section, frozen=True):
    """The groups that the words `focus`, `other` and `rest` of a subset mean."""

    focus: Name
    other: Name | None  # none, where there is a single product
    apart: list[Name]  # of several products: these are known products' nowhere


class Subset(Section, frozen=True):
    group: Name  # or focus, other, but_focus, but_other, rest (all but those two and the ones apart), every
    count: Positive | Literal["all"]  # of each group
    prefer: Literal["separated", "crowded", "random"]
    fewer: bool  # whether a group that has fewer images gives what it has; else what is made of the choice is left out


class Bins(Section, frozen=True):
    width: Annotated[int, Meta(ge=64, le=4096)]
    height: Annotated[int, Meta(ge=64, le=4096)]
    images: dict[Name, Count]  # group → photographs
    extra_test: dict[Name, Count]  # group → photographs more that are for testing only
    shifted: Count  # … and of each of these at each station that differs: another bin, light, camera height


class Yolo(Section, frozen=True):
    size: Annotated[int, Meta(ge=32, le=4096)]
    labels: Literal["polygons", "boxes"]


class Augment(Section, frozen=True):
    """Ultralytics' own augmentation, on the fly; the names are its names."""

    hsv_h: Share
    hsv_s: Share
    hsv_v: Share
    degrees: Annotated[float, Meta(ge=0, le=180)]
    translate: Share
    scale: Share
    fliplr: Share
    flipud: Share
    mosaic: Share  # of pictures made of parts of four; without, wide pictures are not padded
    copy_paste: Share  # of an image's objects that are pasted into it once more, mirrored; needs polygons


class Detector(Section, frozen=True):
    model: Literal["yolov5n", "yolov5s", "yolov5m", "yolov5l", "yolov5x"]
    weights: str | None  # a .pt to start from; null: from scratch
    imgsz: Annotated[int, Meta(ge=32, le=2048, multiple_of=32)]
    crop: Annotated[int, Meta(ge=0, le=2048, multiple_of=32)]  # of the squares cut out of larger pictures to train on
    epochs: Positive
    drawn: Count  # of the training images, anew for every epoch; 0: all
    least_steps: Count  # few images make short epochs: then there are as many as this takes
    batch: Positive
    lr: Annotated[float, Meta(gt=0, le=1)]
    validations: Positive  # how often during training, evenly spread; the last epoch is always validated
    augment: Augment


class Gan(Section, frozen=True):
    """What all GANs have in common: the optimiser's and the penalty's constants."""

    betas: tuple[Share, Share]
    epsilon: Annotated[float, Meta(gt=0)]
    penalty_weight: Annotated[float, Meta(ge=0)]


class ScaledGan(Section, frozen=True):
    size: Literal[32, 64, 128, 256, 512]  # pixels of the square that pictures are squashed to
    dim: Positive  # channels of the widest pictures' features
    z: Positive  # length of a latent vector
    lr: Annotated[float, Meta(gt=0, le=1)]
    critic_steps: Positive  # … for one of the generator
    most_steps: Positive  # an experiment that asks for more steps gets these
    most_epochs: Positive  # … or epochs
    most_batch: Positive  # … and for a larger batch
    precision: Literal["fp32", "bf16"]  # of the convolutions; norms, losses and the penalty's slope are in fp32
    processes: Positive  # each with a GPU of its own, or all without one, and an equal share of each batch
    every: Positive  # steps between two checkpoints
    grids: Positive  # pictures of fixed noise, evenly spread over training


class Experiment(Section, frozen=True):
    """One training run of a GAN."""

    product: Literal["focus", "other"]  # which it belongs to
    subset: Name
    start: str  # the finished run it continues, as models/gan/<experiment>; none: from scratch
    extra: str  # a folder of more pictures to train on, or none
    loss: Literal["gan", "hinge_v1", "hinge_v2", "lsgan", "wgan"]
    penalty: Literal["none", "dragan", "wgan-gp"]
    batch: Positive
    steps: Positive  # of the critic
    epochs: Count  # if not 0, they say how long it trains, instead of `steps`
    sample_at: Annotated[list[Annotated[float, Meta(gt=0, le=1)]], Meta(min_length=1)]  # shares of the steps
    average: Annotated[float, Meta(ge=0, lt=1)]  # decay of the generator's moving average; 0: none
    augment: list[Literal["colour", "shift", "cutout"]]  # what the critic sees of all pictures, real and generated


class Inpaint(Section, frozen=True):
    """One training run of a network that fills holes."""

    product: Literal["focus", "other"]  # which it belongs to
    subset: Name
    extra: str  # a folder of other products' pictures to learn from, too, or none
    start: str  # the finished run it continues, as models/inpaint/<name>; none: from scratch
    network: Literal["ae", "ae_skip", "gan", "ambient"]
    loss: Literal["ssim", "mae", "psnr"]
    holes: Annotated[list[Literal["block", "drop", "objects"]], Meta(min_length=1)]  # each time one of these
    dropout: Annotated[float, Meta(ge=0, lt=1)]
    optimizer: Literal["adam", "sgd", "adagrad"]
    batch: Positive
    steps: Positive  # at most
    patience: Positive  # looks at held-out images that bring nothing better, after which training ends


class ScaledInpaint(Section, frozen=True):
    size: Literal[64, 128, 256]  # pixels of the window in which a hole is filled
    dim: Positive  # channels of the widest pictures' features
    windows: Positive  # cut out of each photograph
    most_steps: Positive
    most_batch: Positive
    every: Positive  # steps between two looks at held-out images, each with a checkpoint


class Composition(Section, frozen=True):
    """Candidates made of a subset's own images; `how` names the module of stages/compose that makes them."""

    product: Literal["focus", "other"]
    subset: Name
    how: Literal["paste", "deconstruct", "classic"]
    known: str  # data/subsets/<name>, other products' photographs, that tell how objects lie; none: it is assumed
    objects: str  # models/objects/<name>, a GAN that draws the objects; none: the subset's own
    floor: str  # a model that makes what lies under them; none: the subset's own empty bins
    more: Positive  # so many times as many candidates as scales.….composed says

    @property
    def judged(self) -> bool:
        """Return whether candidates have to be new: changed whole images are copies by definition."""
        return self.how != "classic"


class Texture(Section, frozen=True):
    """One training run of a spatial GAN."""

    subset: Name
    sources: Annotated[list[Literal["floor", "label"]], Meta(min_length=1)]  # several are fused in one model
    metric: Annotated[float, Meta(ge=0)]  # weight of the distance between a picture and its like from encoded noise …
    mode: Annotated[float, Meta(ge=0)]  # … and of the critic's word on that like; both 0: no regulariser
    batch: Positive
    steps: Positive  # of the critic
    average: Annotated[float, Meta(ge=0, lt=1)]  # decay of the generator's moving average; 0: none


class ScaledTexture(Section, frozen=True):
    size: Literal[32, 64, 128, 256]  # pixels of the squares it is trained on; it paints any size
    dim: Positive  # channels of the widest pictures' features
    depth: Positive  # numbers at each place of the noise
    squares: Positive  # that are cut from its sources
    most_steps: Positive


class ObjectGan(Section, frozen=True):
    """One training run of a GAN on cut-outs."""

    subset: Name
    batch: Positive
    steps: Positive  # of the critic
    average: Annotated[float, Meta(ge=0, lt=1)]  # decay of the generator's moving average; 0: none


class ScaledObjects(Section, frozen=True):
    size: Literal[32, 64, 128, 256, 512]  # pixels of the square that cut-outs are squashed to
    most_steps: Positive


class JudgedSubsets(Section, frozen=True):
    focus: Name
    other: Name


class Judge(Section, frozen=True):
    subsets: JudgedSubsets  # of each product: the only images of it that its judge may see
    shift: Annotated[float, Meta(ge=0, le=0.25)]  # share of the side by which a copy may be moved
    copies: Positive  # changed copies of each training image, from which the distance of copies is taken …
    percentile: Annotated[float, Meta(gt=50, le=100)]  # … as this percentile
    shortlist: Positive  # training images that a candidate is compared with in full
    iou: Share  # overlap at which an object lies where it did
    slack: Share  # how much real images may exceed what the few known ones show
    pass_real: Annotated[float, Meta(gt=50, lt=100)]  # percent of real images that must be sure enough


class ScaledJudge(Section, frozen=True):
    size: Annotated[int, Meta(ge=32, le=1024, multiple_of=32)]  # of the squares that pictures are compared as
    imgsz: Annotated[int, Meta(ge=32, le=2048, multiple_of=32)]  # of its detector …
    crop: Annotated[int, Meta(ge=0, le=2048, multiple_of=32)]  # … and of what that trains on
    planted: Positive  # candidates of each colour in its test
    planted_copies: Positive  # … and copies more, none of which may be accepted


class Feedback(Section, frozen=True):
    """When a candidate's labels can be trusted: both detectors agree, however the picture is turned."""

    confidence: Share  # of a reading that counts
    readings: Share  # of the mirrored views that an object must be seen in, by each detector
    iou: Share  # overlap of two readings of one object
    best: Positive  # accepted candidates that are fed back to a generator
    labellers: Name  # the arm whose detectors label photographs that nobody annotated


class Arm(Section, frozen=True):
    """One way to build a detector's training set from the same few images."""

    product: Literal["focus", "other"]
    subset: Name  # its real images
    fakes: str  # a folder of accepted candidates; data/accepted: all that came of the same images; or none
    ratio: Count  # fakes for each real image, at most
    labelled: str  # a folder of photographs that detectors labelled, which join its real images, or none
    known: str  # a folder of other products' images that it is trained on too, or none
    start: str  # the detector of those products, from which it goes on; none: from scratch
    augment: Name  # one of `augmentations`
    skip: bool  # by `dvc repro`; studies make it nevertheless


class Evidence(Section, frozen=True):
    primary: Name  # the arm whose gain was asked for before any test image was looked at
    real: Share  # of an epoch that mixes real images and fakes, the share of the real ones, at least …
    known: Share  # … and of one that goes on from the known products, the share of their images
    warm_lr: Annotated[
        float, Meta(gt=0, le=1)
    ]  # learning rate of what goes on from a detector, against one from scratch
    known_steps: Positive  # of the known products' detector, in steps of an arm
    margin: Share  # of mAP50-95 and of the objects found that the known products may lose
    least_found: Share  # of the product's objects that a detector finds, or it is not promoted
    minutes: Annotated[float, Meta(ge=0)]  # to annotate one image
    resamplings: Positive


class Compared(Section, frozen=True):
    """How long every arm is trained, and how often."""

    imgsz: Annotated[int, Meta(ge=32, le=2048, multiple_of=32)]
    crop: Annotated[int, Meta(ge=0, le=2048, multiple_of=32)]  # as a detector's
    batch: Positive
    steps: Positive
    seeds: Positive  # of a study: draws of the photographs, each with a seed of its own


class Study(Section, frozen=True):
    """What `make evidence` compares: arms made anew of other photographs, of several products."""

    at: Positive  # photographs of which all its arms are made
    arms: list[Name]
    curve: list[Name]  # the arms among these that are made of fewer and of more photographs, too
    choices: list[Literal["separated", "crowded"]]  # of the photographs, beside random ones …
    chosen: list[Name]  # … and the arms that are made of these


class ScaledStudy(Compared, frozen=True):
    products: Annotated[list[Name], Meta(min_length=1)]  # groups; never the one on which settings were chosen
    counts: list[Positive]  # of photographs, on the curve; all of a product's are added


class ArrivalRule(Section, frozen=True):
    """What becomes of a product that arrives in data/incoming/."""

    least: Positive  # training images it must bring
    merge: bool  # whether a promoted product's branch is merged; else a person does
    targets: list[str]  # stages that are run for it, with all that they need
    generators: list[Name]  # cheap enough to be run again in each fold, where a product has no test images
    review_minutes: Annotated[float, Meta(ge=0, le=500_000)]  # that a run waits for a word on doubtful candidates
    pixels: Positive  # of most of its objects' shorter sides, at least, in what detectors see of the only product


class Testing(Section, frozen=True):
    confidence: Share  # a detection below it is not `found`
    iou: Share  # … nor one that overlaps its object less
    bootstrap: Positive  # resamplings of the test photographs, for the intervals of the detector of all products


class Scale(Section, frozen=True):
    bins: Bins
    yolo: Yolo
    detector: Detector
    gan: ScaledGan
    texture: ScaledTexture
    objects: ScaledObjects
    inpaint: ScaledInpaint
    candidates: Positive  # drawn from each of an experiment's checkpoints
    composed: Positive  # candidates of each composition
    judge: ScaledJudge
    evidence: Compared  # by `dvc repro` …
    study: ScaledStudy  # … and by `make evidence`
